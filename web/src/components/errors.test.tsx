// @vitest-environment happy-dom

// What `ErrorFeed` shows of errors.

import { describe, expect, it } from "vitest";
import { click, press, setScreen } from "../testing/screen.js";
import { ErrorFeed } from "./index.js";
import { event } from "./model/fixture.js";

const { connect, send, text, find, button, expectAccessible } = setScreen();

describe("errors", () => {
  const failed = (more: object) =>
    event("error_notification", { component: "llm_api", severity: "high", message: "429", ...more });

  it("open to what is known of them, and close by Escape", async () => {
    const inspected: string[] = [];
    await connect(<ErrorFeed onInspect={({ id }) => inspected.push(id)} />);
    const known = {
      stackTrace: "at invoke",
      userImpact: "major",
      resolution: "retried",
      sentryIssueId: "CB-1",
    };
    await send(failed(known), failed(known));
    expect(text()).toContain("2 times");
    const line = find(".rc-row-line");
    click(line);
    expect(line.getAttribute("aria-expanded")).toBe("true");
    for (const fact of ["at invoke", "Major", "retried", "CB-1"]) expect(text()).toContain(fact);
    await expectAccessible();
    click(button(/^Event of/));
    expect(inspected).toEqual(["1002"]);
    press(button(/^Event of/), "Escape");
    expect(line.getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(line);
  });

  it("say what may be hidden", async () => {
    await connect(<ErrorFeed />);
    await send(failed({}));
    click(find(".rc-row-line"));
    expect(text()).toContain("No stack trace: none was sent, or it is hidden from your role.");
    expect(text()).not.toContain("Sentry");
  });
});
