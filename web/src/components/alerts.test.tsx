// @vitest-environment happy-dom

// What `AlertList` tells of alerts.

import { act } from "react";
import { describe, expect, it, vi } from "vitest";
import { setScreen } from "../testing/screen.js";
import { AlertList } from "./index.js";
import { event } from "./model/fixture.js";

const { connect, send, find } = setScreen();

describe("alerts", () => {
  it("are told to screen readers, though not two hundred times a second", async () => {
    await connect(<AlertList />);
    const alert = (metric: string, state: string) =>
      event("performance_alert", { metric, value: 1, threshold: 2, status: state, message: metric });
    const told: string[] = [];
    const observer = new MutationObserver(() => told.push(find("[role=status]").textContent ?? ""));
    await send(alert("m", "resolved"));
    observer.observe(find("[role=status]"), { characterData: true, childList: true, subtree: true });
    for (let n = 0; n < 40; n += 1) await send(alert(`m${n}`, "firing"));
    await act(() => vi.advanceTimersByTimeAsync(6000));
    observer.disconnect();
    expect(told.at(-1)).toBe("40 alerts are firing");
    expect(told.length).toBeLessThanOrEqual(2);
  });
});
