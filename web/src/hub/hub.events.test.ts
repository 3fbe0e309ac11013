// Who on a page is handed which events, whatever the others do with them.

import { describe, expect, it } from "vitest";
import { setHub } from "../testing/hub.js";

const page = setHub();
const { sitDown } = page;

describe("events", () => {
  it("go to those who asked for them, platform-wide ones to every organization", async () => {
    const all = sitDown();
    const documents = sitDown({ subscriptions: ["document_processing"], organizationId: "o1" });
    const second = sitDown({ organizationId: "o2" });
    await page.feed.settle();
    page.feed.emit("document_processing", "o1");
    page.feed.emit("user_activity", "o1");
    page.feed.emit("document_processing", "o2");
    page.feed.emit("document_processing");
    expect([all.ids, documents.ids, second.ids]).toEqual([
      ["1", "2", "3", "4"],
      ["1", "4"],
      ["3", "4"],
    ]);
  });

  it("reach the others when one throws, or leaves, or comes in the middle", async () => {
    const late: string[] = [];
    const other = sitDown();
    const thrower = page.hub.join({
      onEvent() {
        thrower.leave();
        page.hub.join({ onEvent: ({ id }) => late.push(id) });
        throw new Error("the app's own");
      },
    });
    const behind = sitDown();
    await page.feed.settle();
    page.feed.emit("user_activity");
    page.feed.emit("user_activity");
    expect([other.ids, behind.ids, late]).toEqual([["1", "2"], ["1", "2"], ["2"]]);
    expect(page.faults).toEqual([new Error("the app's own")]);
  });

  it("do not come to somebody who was made to leave by another while they were handed out", async () => {
    const second = { leave: () => {} };
    page.hub.join({ onEvent: () => second.leave() });
    const { seat, ids } = sitDown();
    second.leave = seat.leave;
    await page.feed.settle();
    page.feed.emit("user_activity");
    expect(ids).toEqual([]);
  });

  it("are said to be missed to all", async () => {
    const [one, other] = [sitDown(), sitDown({ subscriptions: ["user_activity"] })];
    await page.feed.settle();
    page.feed.last.reset();
    expect([one.resets, other.resets]).toEqual([["history_expired"], ["history_expired"]]);
  });
});
