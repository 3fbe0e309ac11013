// What is asked of the connection while what its consumers want changes.

import { describe, expect, it, vi } from "vitest";
import { setHub } from "../testing/hub.js";

const page = setHub();
const { sitDown } = page;

describe("what is wanted", () => {
  it("grows on the open stream, once for all of one tick", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    await page.feed.settle();
    const { seat, ids } = sitDown({ subscriptions: ["user_activity"] });
    const granted = seat.want({ subscriptions: ["user_activity", "system_health"] });
    await page.feed.settle();
    await granted;
    page.feed.emit("system_health");
    expect(ids).toEqual(["1"]);
    expect([page.feed.connections.length, page.feed.last.wants]).toEqual([
      1,
      [
        {
          subscriptions: ["document_processing", "system_health", "user_activity"],
          organizationId: undefined,
        },
      ],
    ]);
  });

  it("is connected once the stream has it", async () => {
    const first = sitDown({ subscriptions: ["document_processing"] });
    await page.feed.settle();
    const second = sitDown({ subscriptions: ["user_activity"] });
    await Promise.resolve();
    page.feed.emit("document_processing");
    expect([first.state()?.status, second.state()?.status]).toEqual(["connected", "connecting"]);
    await page.feed.settle();
    expect(second.state()?.status).toBe("connected");
  });

  it("is not asked for again when the stream has it", async () => {
    sitDown();
    await page.feed.settle();
    const { seat } = sitDown({ subscriptions: ["user_activity"], organizationId: "o1" });
    await seat.want({ subscriptions: ["system_health"] });
    expect(page.feed.last.wants).toEqual([]);
  });

  it("shrinks after a while, unless it is wanted again", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    const { seat } = sitDown({ subscriptions: ["user_activity"] });
    await page.feed.settle();
    seat.leave();
    await page.feed.settle();
    await vi.advanceTimersByTimeAsync(9_000);
    const again = sitDown({ subscriptions: ["user_activity"] });
    await page.feed.settle();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.feed.last.wants).toEqual([]);
    again.seat.leave();
    await page.feed.settle();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.feed.last.wants).toEqual([
      { subscriptions: ["document_processing"], organizationId: undefined },
    ]);
  });

  it("of another organization takes another stream, for what is needed and no more", async () => {
    const first = sitDown({ organizationId: "o1" });
    await page.feed.settle();
    first.seat.leave();
    sitDown({ organizationId: "o2" });
    await page.feed.settle();
    expect(page.feed.last.wants).toEqual([{ subscriptions: undefined, organizationId: "o2" }]);
  });

  it("changes nothing when it is refused", async () => {
    page.feed.forbidden.add("system_health");
    const { seat, ids, state } = sitDown({ subscriptions: ["user_activity"] });
    await page.feed.settle();
    const refused = expect(seat.want({ subscriptions: ["system_health"] })).rejects.toMatchObject({
      code: "permission_required",
    });
    await page.feed.settle();
    await refused;
    page.feed.emit("user_activity");
    expect([ids, state()?.status, page.feed.last.interest.subscriptions]).toEqual([
      ["1"],
      "connected",
      ["user_activity"],
    ]);
  });
});
