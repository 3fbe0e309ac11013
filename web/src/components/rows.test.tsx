// @vitest-environment happy-dom

// The rows of a list: how they are reached, held and rendered.

import { act } from "react";
import { describe, expect, it } from "vitest";
import { click, document1, press, setScreen } from "../testing/screen.js";
import { DocumentProcessingMonitor, UserActivityFeed } from "./index.js";
import { event } from "./model/fixture.js";

const screen = setScreen();
const { connect, send, text, find, expectAccessible } = screen;

describe("rows", () => {
  const users = (count: number) =>
    Array.from({ length: count }, (_, n) => event("user_activity", { userId: `u${n}`, action: "login" }));

  it("are one stop for the Tab key, and arrows move along them", async () => {
    const inspected: string[] = [];
    await connect(<UserActivityFeed onInspect={({ id }) => inspected.push(id)} />);
    await send(...users(3));
    const lines = () => [...screen.page.querySelectorAll<HTMLElement>(".rc-row-line")];
    const stops = () => lines().map(({ tabIndex }) => tabIndex);
    expect(stops()).toEqual([0, -1, -1]);
    act(() => lines()[0]?.focus());
    press(find(":focus"), "ArrowDown");
    press(find(":focus"), "End");
    press(find(":focus"), "ArrowDown");
    expect(lines().indexOf(find(":focus"))).toBe(2);
    expect(stops()).toEqual([-1, -1, 0]);
    press(find(":focus"), "ArrowUp");
    click(find(":focus"));
    expect(inspected).toEqual(["1002"]);
    await expectAccessible();
  });

  it("are no buttons where nobody looks into them", async () => {
    await connect(<UserActivityFeed />);
    await send(...users(1));
    expect(screen.page.querySelectorAll("li button")).toHaveLength(0);
    expect(find("ul").tabIndex).toBe(0);
  });

  it("stay as they are while the mouse is over them", async () => {
    await connect(<UserActivityFeed />);
    await send(...users(1));
    const enter = new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" });
    act(() => {
      find(".rc-body").dispatchEvent(enter);
    });
    await send(event("user_activity", { userId: "later", action: "login" }));
    expect(text()).not.toContain("later");
    expect(text()).toContain("Paused while you read");
    act(() => {
      find(".rc-body").dispatchEvent(new PointerEvent("pointerout", { bubbles: true, pointerType: "mouse" }));
    });
    expect(text()).toContain("later");
  });

  it("are rendered for their own events alone", async () => {
    await connect(
      <>
        <UserActivityFeed />
        <DocumentProcessingMonitor />
      </>,
    );
    await send(...users(2), document1({}));
    const before = [...screen.page.querySelectorAll('[data-type="user_activity"] li')];
    let changes = 0;
    const observer = new MutationObserver((records) => {
      changes += records.length;
    });
    observer.observe(find('[data-type="user_activity"]'), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    await send(document1({ stage: "indexing" }), document1({ stage: "completed" }));
    expect(find(`[data-testid="count-document_processing"]`).textContent).toBe("3");
    expect(changes).toBe(0);
    await send(event("user_activity", { userId: "u3", action: "login" }));
    expect(changes).toBeGreaterThan(0);
    expect([...screen.page.querySelectorAll('[data-type="user_activity"] li')].slice(1)).toEqual(before);
    observer.disconnect();
  });
});
