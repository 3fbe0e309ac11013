// @vitest-environment happy-dom

// What `SystemHealthMonitor` shows of the health of components.

import { describe, expect, it } from "vitest";
import { setScreen } from "../testing/screen.js";
import { SystemHealthMonitor } from "./index.js";
import { event } from "./model/fixture.js";

const screen = setScreen();
const { connect, send, status, text, find, expectAccessible } = screen;

describe("health", () => {
  it("shows the limit, the advice and the course of states", async () => {
    await connect(<SystemHealthMonitor />);
    const check = (status: string, timestamp: string) =>
      event(
        "system_health",
        {
          component: "database",
          metric: "lag",
          value: 9,
          threshold: 5,
          status,
          recommendation: "look for locks",
        },
        { timestamp },
      );
    await send(check("healthy", "2026-11-23T09:00:00Z"), check("down", "2026-11-23T09:01:00Z"));
    await send(check("down", "2026-11-23T09:03:00Z"));
    for (const shown of ["Down", "for 2 min", "/ 5", "look for locks", "1 of 1 unhealthy"])
      expect(text()).toContain(shown);
    expect(find(".rc-course").getAttribute("aria-label")).toMatch(/^Since .*: healthy, down at /);
    expect(screen.page.querySelectorAll(".rc-course rect")).toHaveLength(2);
    await expectAccessible();
  });

  it("knows by the stream that the database is gone, of which no row can tell", async () => {
    await connect(<SystemHealthMonitor />);
    const check = (component: string) =>
      event("system_health", {
        component,
        metric: "connect_ms",
        value: 2,
        threshold: 1000,
        status: "healthy",
      });
    await send(check("database"), check("llm_api"));
    expect(text()).toContain("All healthy");
    await status({ status: "degraded" });
    for (const shown of ["Down", "The server cannot reach it.", "1 of 2 unhealthy"])
      expect(text()).toContain(shown);
    expect(screen.page.querySelectorAll(".rc-health")).toHaveLength(2);
    await expectAccessible();
    await status({ status: "recovered" });
    expect(text()).toContain("All healthy");
  });
});
