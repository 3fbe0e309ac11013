import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectionState } from "../connection.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { Feed } from "../testing/feed.js";
import { FakeServer } from "../testing/server.js";
import { createHub, type Hub, type HubOptions } from "./hub.js";
import type { Consumer } from "./place.js";

let feed: Feed;
let hub: Hub;
let faults: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  feed = new Feed();
  make();
});

afterEach(() => vi.useRealTimers());

function make(options: HubOptions = {}): void {
  const { environment, faults: reported } = new FakeServer();
  faults = reported;
  hub = createHub({ connect: feed.connect, ...options }, environment);
}

/** A consumer that notes what it is told. */
function sitDown(consumer: Consumer = {}) {
  const ids: string[] = [];
  const resets: ResetReason[] = [];
  let state: ConnectionState | undefined;
  const seat = hub.join({
    onEvent: (event: OutboxEvent) => ids.push(event.id),
    onReset: (reason) => resets.push(reason),
    onState: (now) => {
      state = now;
    },
    ...consumer,
  });
  return { seat, ids, resets, state: () => state };
}

describe("one connection", () => {
  it("is opened once for all who come in one tick, for what they want together", async () => {
    sitDown({ subscriptions: ["user_activity"], organizationId: "o1" });
    sitDown({ subscriptions: ["document_processing"], organizationId: "o1" });
    expect(feed.connections).toHaveLength(0);
    await feed.settle();
    expect(feed.connections).toHaveLength(1);
    expect(feed.last.interest).toEqual({
      subscriptions: ["document_processing", "user_activity"],
      organizationId: "o1",
    });
  });

  it("is closed with the last, and only then", async () => {
    const [one, other] = [sitDown(), sitDown()];
    await feed.settle();
    one.seat.leave();
    await feed.settle();
    expect(feed.open).toHaveLength(1);
    other.seat.leave();
    await feed.settle();
    expect(feed.open).toHaveLength(0);
    expect(hub.state.status).toBe("disconnected");
    sitDown();
    await feed.settle();
    expect([feed.connections.length, feed.open.length]).toEqual([2, 1]);
  });

  it("is not opened for somebody who leaves in the same breath, and not closed for somebody who comes back in it", async () => {
    sitDown().seat.leave();
    await feed.settle();
    expect(feed.connections).toHaveLength(0);
    const { seat } = sitDown();
    await feed.settle();
    seat.leave();
    sitDown();
    await feed.settle();
    expect([feed.connections.length, feed.open.length]).toEqual([1, 1]);
  });

  it("is not opened for nothing", async () => {
    const { seat } = sitDown({ subscriptions: [] });
    await feed.settle();
    expect(feed.connections).toHaveLength(0);
    const granted = seat.want({ subscriptions: ["user_activity"] });
    await feed.settle();
    await granted;
    expect(feed.last.interest.subscriptions).toEqual(["user_activity"]);
  });

  it("stays closed after disconnect until reconnect, or until everybody has left", async () => {
    const { seat } = sitDown();
    await feed.settle();
    hub.disconnect();
    sitDown().seat.leave();
    await feed.settle();
    expect(feed.open).toHaveLength(0);
    hub.reconnect();
    await feed.settle();
    expect([feed.connections.length, hub.state.status]).toEqual([1, "connected"]);
    hub.disconnect();
    seat.leave();
    await feed.settle();
    sitDown();
    await feed.settle();
    expect(feed.open).toHaveLength(1);
  });

  it("tells its state to watchers, who do not hold it open", async () => {
    const statuses: string[] = [];
    const stop = hub.watch(({ status }) => statuses.push(status));
    await feed.settle();
    expect(feed.connections).toHaveLength(0);
    const { seat } = sitDown();
    await feed.settle();
    seat.leave();
    await feed.settle();
    expect([...new Set(statuses)]).toEqual(["connecting", "connected", "disconnected"]);
    const count = statuses.length;
    stop();
    sitDown();
    await feed.settle();
    expect(statuses).toHaveLength(count);
  });

  it("is as persistent as the most persistent", async () => {
    make({ maxReconnectAttempts: 7, reconnectDelay: 300 });
    sitDown({ reconnectDelay: 2000, maxReconnectAttempts: 3 });
    sitDown({ reconnectDelay: 500, maxReconnectAttempts: 0 });
    sitDown();
    await feed.settle();
    const { options } = feed.last;
    expect([options.reconnectDelay, options.maxReconnectAttempts]).toEqual([500, 3]);
  });

  it("goes by its options when nobody says anything", async () => {
    make({ maxReconnectAttempts: 7, reconnectDelay: 300 });
    sitDown();
    await feed.settle();
    const { options } = feed.last;
    expect([options.reconnectDelay, options.maxReconnectAttempts]).toEqual([300, 7]);
  });

  it("says what it does once to each who listens", async () => {
    const debug = vi.fn();
    sitDown({ debug });
    sitDown({ debug });
    await feed.settle();
    feed.last.options.debug?.("the network is away");
    expect(debug.mock.calls).toEqual([["the network is away", undefined]]);
  });
});

describe("events", () => {
  it("go to those who asked for them, platform-wide ones to every organization", async () => {
    const all = sitDown();
    const documents = sitDown({ subscriptions: ["document_processing"], organizationId: "o1" });
    const second = sitDown({ organizationId: "o2" });
    await feed.settle();
    feed.emit("document_processing", "o1");
    feed.emit("user_activity", "o1");
    feed.emit("document_processing", "o2");
    feed.emit("document_processing");
    expect([all.ids, documents.ids, second.ids]).toEqual([
      ["1", "2", "3", "4"],
      ["1", "4"],
      ["3", "4"],
    ]);
  });

  it("reach the others when one throws, or leaves, or comes in the middle", async () => {
    const late: string[] = [];
    const other = sitDown();
    const thrower = hub.join({
      onEvent() {
        thrower.leave();
        hub.join({ onEvent: ({ id }) => late.push(id) });
        throw new Error("the app's own");
      },
    });
    const behind = sitDown();
    await feed.settle();
    feed.emit("user_activity");
    feed.emit("user_activity");
    expect([other.ids, behind.ids, late]).toEqual([["1", "2"], ["1", "2"], ["2"]]);
    expect(faults).toEqual([new Error("the app's own")]);
  });

  it("do not come to somebody who was made to leave by another while they were handed out", async () => {
    const second = { leave: () => {} };
    hub.join({ onEvent: () => second.leave() });
    const { seat, ids } = sitDown();
    second.leave = seat.leave;
    await feed.settle();
    feed.emit("user_activity");
    expect(ids).toEqual([]);
  });

  it("are said to be missed to all", async () => {
    const [one, other] = [sitDown(), sitDown({ subscriptions: ["user_activity"] })];
    await feed.settle();
    feed.last.reset();
    expect([one.resets, other.resets]).toEqual([["history_expired"], ["history_expired"]]);
  });
});

describe("what is wanted", () => {
  it("grows on the open stream, once for all of one tick", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    await feed.settle();
    const { seat, ids } = sitDown({ subscriptions: ["user_activity"] });
    const granted = seat.want({ subscriptions: ["user_activity", "system_health"] });
    await feed.settle();
    await granted;
    feed.emit("system_health");
    expect(ids).toEqual(["1"]);
    expect([feed.connections.length, feed.last.wants]).toEqual([
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
    await feed.settle();
    const second = sitDown({ subscriptions: ["user_activity"] });
    await Promise.resolve();
    feed.emit("document_processing");
    expect([first.state()?.status, second.state()?.status]).toEqual(["connected", "connecting"]);
    await feed.settle();
    expect(second.state()?.status).toBe("connected");
  });

  it("is not asked for again when the stream has it", async () => {
    sitDown();
    await feed.settle();
    const { seat } = sitDown({ subscriptions: ["user_activity"], organizationId: "o1" });
    await seat.want({ subscriptions: ["system_health"] });
    expect(feed.last.wants).toEqual([]);
  });

  it("shrinks after a while, unless it is wanted again", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    const { seat } = sitDown({ subscriptions: ["user_activity"] });
    await feed.settle();
    seat.leave();
    await feed.settle();
    await vi.advanceTimersByTimeAsync(9_000);
    const again = sitDown({ subscriptions: ["user_activity"] });
    await feed.settle();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(feed.last.wants).toEqual([]);
    again.seat.leave();
    await feed.settle();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(feed.last.wants).toEqual([{ subscriptions: ["document_processing"], organizationId: undefined }]);
  });

  it("of another organization takes another stream, for what is needed and no more", async () => {
    const first = sitDown({ organizationId: "o1" });
    await feed.settle();
    first.seat.leave();
    sitDown({ organizationId: "o2" });
    await feed.settle();
    expect(feed.last.wants).toEqual([{ subscriptions: undefined, organizationId: "o2" }]);
  });

  it("changes nothing when it is refused", async () => {
    feed.forbidden.add("system_health");
    const { seat, ids, state } = sitDown({ subscriptions: ["user_activity"] });
    await feed.settle();
    const refused = expect(seat.want({ subscriptions: ["system_health"] })).rejects.toMatchObject({
      code: "permission_required",
    });
    await feed.settle();
    await refused;
    feed.emit("user_activity");
    expect([ids, state()?.status, feed.last.interest.subscriptions]).toEqual([
      ["1"],
      "connected",
      ["user_activity"],
    ]);
  });
});

describe("what may not be seen", () => {
  it.each(["from the beginning", "later"])("takes nothing from the others: %s", async (when) => {
    feed.forbidden.add("system_health");
    const allowed = sitDown({ subscriptions: ["user_activity"] });
    if (when === "later") await feed.settle();
    const denied = sitDown({ subscriptions: ["system_health"] });
    await feed.settle();
    feed.emit("user_activity");
    expect(allowed.ids).toEqual(["1"]);
    expect([hub.state.status, allowed.state()?.status]).toEqual(["connected", "connected"]);
    expect(denied.state()).toMatchObject({ status: "error", error: { code: "permission_required" } });
  });

  it("comes by itself once it may be seen", async () => {
    feed.forbidden.add("system_health");
    const { ids, state } = sitDown({ subscriptions: ["system_health"] });
    await feed.settle();
    feed.forbidden.clear();
    feed.last.set({ subscriptions: ["system_health"] });
    feed.emit("system_health");
    expect([ids, state()?.status]).toEqual([["1"], "connected"]);
  });

  it("is an error when a type is lost while the stream is away", async () => {
    const { ids, state } = sitDown({ subscriptions: ["system_health", "user_activity"] });
    await feed.settle();
    feed.forbidden.add("system_health");
    hub.reconnect();
    await feed.settle();
    feed.emit("user_activity");
    expect([ids, state()?.status]).toEqual([["1"], "connected"]);
  });

  it("includes organizations of others", async () => {
    const [own, foreign] = [sitDown({ organizationId: "o1" }), sitDown({ organizationId: "o9" })];
    await feed.settle();
    expect(own.state()?.status).toBe("connected");
    expect(foreign.state()).toMatchObject({ status: "error", error: { code: "not_a_member" } });
  });
});

describe("since", () => {
  const emit = (count: number) => {
    for (let n = 0; n < count; n += 1) feed.emit("user_activity");
  };

  it("is where the stream begins for the first, and for nobody who had more already", async () => {
    emit(5);
    const [early, late] = [sitDown({ since: "2" }), sitDown({ since: "4" })];
    await feed.settle();
    expect([early.ids, late.ids]).toEqual([["3", "4", "5"], ["5"]]);
    expect(feed.last.options.lastEventId).toBe("2");
  });

  it("brings what was handed out before somebody joined", async () => {
    sitDown();
    await feed.settle();
    emit(5);
    const late = sitDown({ since: "3" });
    const away = sitDown({ since: "3" });
    away.seat.leave();
    expect(late.ids).toEqual([]);
    emit(1);
    await feed.settle();
    emit(1);
    expect([late.ids, away.ids, feed.last.wants]).toEqual([["4", "5", "6", "7"], [], []]);
  });

  it("is asked of the server for types that the stream had not", async () => {
    sitDown({ subscriptions: ["system_health"] });
    await feed.settle();
    emit(5);
    const late = sitDown({ subscriptions: ["system_health", "user_activity"], since: "3" });
    await feed.settle();
    emit(1);
    expect(late.ids).toEqual(["4", "5", "6"]);
  });

  it("is where the stream begins if it has not begun yet", async () => {
    emit(3);
    sitDown();
    await Promise.resolve();
    const late = sitDown({ since: "1" });
    await Promise.resolve();
    await feed.settle();
    expect([late.ids, feed.open.length, feed.last.options.lastEventId]).toEqual([["2", "3"], 1, "1"]);
  });

  it.each([
    ["further back than anybody remembers", "2", "history_expired"],
    ["no cursor", "yesterday", "invalid_cursor"],
  ])("means that data has to be fetched again when it is %s", async (_, since, reason) => {
    emit(5);
    sitDown();
    await feed.settle();
    const late = sitDown({ since });
    await feed.settle();
    emit(1);
    expect([late.resets, late.ids]).toEqual([[reason], ["6"]]);
  });

  it("does not trust what the stream had of a type before it was asked for it", async () => {
    sitDown({ subscriptions: ["system_health"] });
    await feed.settle();
    emit(2);
    sitDown({ subscriptions: ["user_activity"] });
    await feed.settle();
    emit(1);
    const late = sitDown({ subscriptions: ["user_activity"], since: "1" });
    await feed.settle();
    expect([late.ids, late.resets]).toEqual([[], ["history_expired"]]);
  });

  it("means the same when somebody else's wish takes another stream, which goes on from where this one is", async () => {
    sitDown({ subscriptions: ["document_processing"] });
    await feed.settle();
    sitDown();
    emit(1);
    const late = sitDown({ subscriptions: ["user_activity"], since: "0" });
    const newer = sitDown({ subscriptions: ["user_activity"], since: "1" });
    await feed.settle();
    emit(1);
    expect([late.resets, late.ids]).toEqual([["history_expired"], ["2"]]);
    expect([newer.resets, newer.ids]).toEqual([[], ["2"]]);
  });

  it("of a wish holds for the types that are added", async () => {
    const { seat, ids } = sitDown({ subscriptions: ["system_health"] });
    await feed.settle();
    emit(3);
    const granted = seat.want({ subscriptions: ["system_health", "user_activity"] }, { since: "1" });
    feed.emit("system_health");
    await feed.settle();
    await granted;
    expect(ids).toEqual(["4", "2", "3"]);
  });

  it("finds what came of a type after its last consumer had left", async () => {
    const { seat } = sitDown();
    await feed.settle();
    await seat.want({ subscriptions: ["system_health"] });
    feed.emit("user_activity");
    await vi.advanceTimersByTimeAsync(15_000);
    await feed.settle();
    expect(feed.last.interest.subscriptions).toEqual(["system_health"]);
    feed.emit("user_activity");
    const late = sitDown({ subscriptions: ["user_activity"], since: "0" });
    await feed.settle();
    expect(late.ids).toEqual(["1", "2"]);
    expect(late.resets).toEqual([]);
  });
});
