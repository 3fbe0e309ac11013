// The one connection of a page: when it is opened and closed, and what it goes by.

import { describe, expect, it, vi } from "vitest";
import { setHub } from "../testing/hub.js";

const page = setHub();
const { make, sitDown } = page;

describe("one connection", () => {
  it("is opened once for all who come in one tick, for what they want together", async () => {
    sitDown({ subscriptions: ["user_activity"], organizationId: "o1" });
    sitDown({ subscriptions: ["document_processing"], organizationId: "o1" });
    expect(page.feed.connections).toHaveLength(0);
    await page.feed.settle();
    expect(page.feed.connections).toHaveLength(1);
    expect(page.feed.last.interest).toEqual({
      subscriptions: ["document_processing", "user_activity"],
      organizationId: "o1",
    });
  });

  it("is closed with the last, and only then", async () => {
    const [one, other] = [sitDown(), sitDown()];
    await page.feed.settle();
    one.seat.leave();
    await page.feed.settle();
    expect(page.feed.open).toHaveLength(1);
    other.seat.leave();
    await page.feed.settle();
    expect(page.feed.open).toHaveLength(0);
    expect(page.hub.state.status).toBe("disconnected");
    sitDown();
    await page.feed.settle();
    expect([page.feed.connections.length, page.feed.open.length]).toEqual([2, 1]);
  });

  it("is not opened for somebody who leaves in the same breath, and not closed for somebody who comes back in it", async () => {
    sitDown().seat.leave();
    await page.feed.settle();
    expect(page.feed.connections).toHaveLength(0);
    const { seat } = sitDown();
    await page.feed.settle();
    seat.leave();
    sitDown();
    await page.feed.settle();
    expect([page.feed.connections.length, page.feed.open.length]).toEqual([1, 1]);
  });

  it("is not opened for nothing", async () => {
    const { seat } = sitDown({ subscriptions: [] });
    await page.feed.settle();
    expect(page.feed.connections).toHaveLength(0);
    const granted = seat.want({ subscriptions: ["user_activity"] });
    await page.feed.settle();
    await granted;
    expect(page.feed.last.interest.subscriptions).toEqual(["user_activity"]);
  });

  it("stays closed after disconnect until reconnect, or until everybody has left", async () => {
    const { seat } = sitDown();
    await page.feed.settle();
    page.hub.disconnect();
    sitDown().seat.leave();
    await page.feed.settle();
    expect(page.feed.open).toHaveLength(0);
    page.hub.reconnect();
    await page.feed.settle();
    expect([page.feed.connections.length, page.hub.state.status]).toEqual([1, "connected"]);
    page.hub.disconnect();
    seat.leave();
    await page.feed.settle();
    sitDown();
    await page.feed.settle();
    expect(page.feed.open).toHaveLength(1);
  });

  it("tells its state to watchers, who do not hold it open", async () => {
    const statuses: string[] = [];
    const stop = page.hub.watch(({ status }) => statuses.push(status));
    await page.feed.settle();
    expect(page.feed.connections).toHaveLength(0);
    const { seat } = sitDown();
    await page.feed.settle();
    seat.leave();
    await page.feed.settle();
    expect([...new Set(statuses)]).toEqual(["connecting", "connected", "disconnected"]);
    const count = statuses.length;
    stop();
    sitDown();
    await page.feed.settle();
    expect(statuses).toHaveLength(count);
  });

  it("is as persistent as the most persistent", async () => {
    make({ maxReconnectAttempts: 7, reconnectDelay: 300 });
    sitDown({ reconnectDelay: 2000, maxReconnectAttempts: 3 });
    sitDown({ reconnectDelay: 500, maxReconnectAttempts: 0 });
    sitDown();
    await page.feed.settle();
    const { options } = page.feed.last;
    expect([options.reconnectDelay, options.maxReconnectAttempts]).toEqual([500, 3]);
  });

  it("goes by its options when nobody says anything", async () => {
    make({ maxReconnectAttempts: 7, reconnectDelay: 300 });
    sitDown();
    await page.feed.settle();
    const { options } = page.feed.last;
    expect([options.reconnectDelay, options.maxReconnectAttempts]).toEqual([300, 7]);
  });

  it("says what it does once to each who listens", async () => {
    const debug = vi.fn();
    sitDown({ debug });
    sitDown({ debug });
    await page.feed.settle();
    page.feed.last.options.debug?.("the network is away");
    expect(debug.mock.calls).toEqual([["the network is away", undefined]]);
  });
});
