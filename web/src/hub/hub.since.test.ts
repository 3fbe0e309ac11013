// A consumer that has loaded data as of a cursor gets what came after that, or is told that it cannot.

import { describe, expect, it, vi } from "vitest";
import { setHub } from "../testing/hub.js";

const page = setHub();
const { sitDown } = page;

describe("since", () => {
  const emit = (count: number) => {
    for (let n = 0; n < count; n += 1) page.feed.emit("user_activity");
  };

  it("is where the stream begins for the first, and for nobody who had more already", async () => {
    emit(5);
    const [early, late] = [sitDown({ since: "2" }), sitDown({ since: "4" })];
    await page.feed.settle();
    expect([early.ids, late.ids]).toEqual([["3", "4", "5"], ["5"]]);
    expect(page.feed.last.options.lastEventId).toBe("2");
  });

  it("brings what was handed out before somebody joined", async () => {
    sitDown();
    await page.feed.settle();
    emit(5);
    const late = sitDown({ since: "3" });
    const away = sitDown({ since: "3" });
    away.seat.leave();
    expect(late.ids).toEqual([]);
    emit(1);
    await page.feed.settle();
    emit(1);
    expect([late.ids, away.ids, page.feed.last.wants]).toEqual([["4", "5", "6", "7"], [], []]);
  });

  it("is asked of the server for types that the stream had not", async () => {
    sitDown({ subscriptions: ["system_health"] });
    await page.feed.settle();
    emit(5);
    const late = sitDown({ subscriptions: ["system_health", "user_activity"], since: "3" });
    await page.feed.settle();
    emit(1);
    expect(late.ids).toEqual(["4", "5", "6"]);
  });

  it("is where the stream begins if it has not begun yet", async () => {
    emit(3);
    sitDown();
    await Promise.resolve();
    const late = sitDown({ since: "1" });
    await Promise.resolve();
    await page.feed.settle();
    expect([late.ids, page.feed.open.length, page.feed.last.options.lastEventId]).toEqual([
      ["2", "3"],
      1,
      "1",
    ]);
  });

  it.each([
    ["further back than anybody remembers", "2", "history_expired"],
    ["no cursor", "yesterday", "invalid_cursor"],
  ])("means that data has to be fetched again when it is %s", async (_, since, reason) => {
    emit(5);
    sitDown();
    await page.feed.settle();
    const late = sitDown({ since });
    await page.feed.settle();
    emit(1);
    expect([late.resets, late.ids]).toEqual([[reason], ["6"]]);
  });

  it("does not trust what the stream had of a type before it was asked for it", async () => {
    sitDown({ subscriptions: ["system_health"] });
    await page.feed.settle();
    emit(2);
    sitDown({ subscriptions: ["user_activity"] });
    await page.feed.settle();
    emit(1);
    const late = sitDown({ subscriptions: ["user_activity"], since: "1" });
    await page.feed.settle();
    expect([late.ids, late.resets]).toEqual([[], ["history_expired"]]);
  });

  it("means the same when somebody else's wish takes another stream, which goes on from where this one is", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    await page.feed.settle();
    sitDown();
    emit(1);
    const late = sitDown({ subscriptions: ["user_activity"], since: "0" });
    const newer = sitDown({ subscriptions: ["user_activity"], since: "1" });
    await page.feed.settle();
    emit(1);
    expect([late.resets, late.ids]).toEqual([["history_expired"], ["2"]]);
    expect([newer.resets, newer.ids]).toEqual([[], ["2"]]);
  });

  it("of a wish holds for the types that are added", async () => {
    const { seat, ids } = sitDown({ subscriptions: ["system_health"] });
    await page.feed.settle();
    emit(3);
    const granted = seat.want({ subscriptions: ["system_health", "user_activity"] }, { since: "1" });
    page.feed.emit("system_health");
    await page.feed.settle();
    await granted;
    expect(ids).toEqual(["4", "2", "3"]);
  });

  it("finds what came of a type after its last consumer had left", async () => {
    const { seat } = sitDown();
    await page.feed.settle();
    await seat.want({ subscriptions: ["system_health"] });
    page.feed.emit("user_activity");
    await vi.advanceTimersByTimeAsync(15_000);
    await page.feed.settle();
    expect(page.feed.last.interest.subscriptions).toEqual(["system_health"]);
    page.feed.emit("user_activity");
    const late = sitDown({ subscriptions: ["user_activity"], since: "0" });
    await page.feed.settle();
    expect(late.ids).toEqual(["1", "2"]);
    expect(late.resets).toEqual([]);
  });
});
