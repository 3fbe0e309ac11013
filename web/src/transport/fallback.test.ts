import { describe, expect, it } from "vitest";
import { pass, setClient } from "../testing/client.js";
import { connectedFrame, cursorFrame, type Exchange, eventFrame, eventOf } from "../testing/server.js";

const client = setClient();

const polls = () => client.server.asked("/events");
const streams = () => client.server.asked("/sse");
const state = () => client.connection.state;

const lastOf = (exchanges: Exchange[]): Exchange => {
  const exchange = exchanges.at(-1);
  if (!exchange) throw new Error("nothing was requested");
  return exchange;
};

const answerPoll = (cursor: string, ...ids: string[]) =>
  lastOf(polls()).answer(200, { body: JSON.stringify({ events: ids.map((id) => eventOf(id)), cursor }) });

/** A stream is accepted, and nothing of it arrives; polls take over. */
async function fallBack(): Promise<void> {
  await client.open({ lastEventId: "10" });
  await client.server.last.stream();
  await pass(10_000);
}

describe("a proxy that holds streams back", () => {
  it("is noticed when a stream begins and says nothing, and polls go on from the cursor", async () => {
    await client.open({ lastEventId: "10" });
    await client.server.last.stream();
    await pass(9_999);
    expect(polls()).toHaveLength(0);
    await pass(1);
    expect(streams()[0]?.aborted).toBe(true);
    expect(lastOf(polls()).url).toContain("after=10");
    await answerPoll("12", "11", "12");
    expect(state()).toMatchObject({ status: "connected", transport: "poll", cursor: "12", attempt: 0 });
    expect(client.received).toEqual(["11", "12"]);
  });

  it("is noticed when heartbeats stay away twice in a row", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10"));
    await pass(45_000);
    expect(state()).toMatchObject({ status: "reconnecting", error: { kind: "silent" } });
    await pass(1_000);
    expect(polls()).toHaveLength(0);
    await client.server.last.stream(connectedFrame("10"));
    await pass(45_000);
    expect(lastOf(polls()).url).toContain("after=10");
  });

  it("is not suspected when heartbeats came in between", async () => {
    await client.open();
    for (let turn = 0; turn < 4; turn += 1) {
      await client.server.last.stream(connectedFrame("10"));
      await pass(15_000);
      await client.server.last.send(cursorFrame("10"));
      await pass(45_000);
      await pass(1_000);
    }
    expect(polls()).toHaveLength(0);
  });

  it("is suspected of a request that is never answered, until a poll is not answered either", async () => {
    await client.open({ lastEventId: "10" });
    await pass(45_000);
    expect(state()).toMatchObject({ status: "reconnecting", error: { kind: "silent" } });
    await pass(1_000);
    expect(polls()).toHaveLength(1);
    await lastOf(polls()).fail();
    await pass(2_000);
    expect([streams().length, polls().length]).toEqual([2, 1]);
  });

  it("where polls are refused is no reason to give up", async () => {
    await fallBack();
    await lastOf(polls()).answer(404);
    expect(state()).toMatchObject({ status: "reconnecting", error: { kind: "protocol" } });
    await pass(1_000);
    expect(streams()).toHaveLength(2);
  });
});

describe("a stream that is tried beside polls", () => {
  it("takes over with its greeting, and nothing comes twice", async () => {
    await fallBack();
    await answerPoll("12", "11", "12");
    await pass(30_000);
    const probe = lastOf(streams());
    expect(probe.headers.get("last-event-id")).toBe("12");
    // What came by the polls while it was being opened comes again on it.
    await answerPoll("14", "13", "14");
    await probe.stream(connectedFrame("12") + eventFrame("13", "13"));
    expect(lastOf(polls()).aborted).toBe(true);
    expect(state()).toMatchObject({ status: "connected", transport: "stream", connectionId: "c-1" });
    expect(state().cursor).toBe("14");
    await probe.send(eventFrame("14", "14") + eventFrame("15", "15"));
    expect(client.received).toEqual(["11", "12", "13", "14", "15"]);
    expect(state()).toMatchObject({ cursor: "15", duplicates: 2 });
    const { length } = client.server.exchanges;
    await pass(10_000);
    expect(client.server.exchanges).toHaveLength(length);
  });

  it("is held back, too: polls go on, and it is tried less and less often", async () => {
    await fallBack();
    await answerPoll("10");
    const triedAt: number[] = [];
    const begun = Date.now();
    for (let second = 0; second < 400; second += 1) {
      const { length } = streams();
      await pass(1_000);
      if (streams().length > length) {
        triedAt.push(Math.round((Date.now() - begun) / 1000));
        await lastOf(streams()).stream();
      }
      await answerPoll("10");
    }
    expect(triedAt).toEqual([30, 100, 230]);
    expect(
      streams()
        .slice(1)
        .map(({ aborted }) => aborted),
    ).toEqual([true, true, true]);
    expect(state()).toMatchObject({ status: "connected", transport: "poll" });
  });

  it("is tried at once on another network", async () => {
    await fallBack();
    await answerPoll("10");
    await client.server.wake();
    expect(streams()).toHaveLength(2);
  });

  it("has to prove that more than its greeting passes, where greetings do", async () => {
    await client.open();
    for (const wait of [1_000, 0]) {
      await client.server.last.stream(connectedFrame("10"));
      await pass(45_000 + wait);
    }
    await answerPoll("10");
    await client.server.wake();
    const probe = lastOf(streams());
    await probe.stream(connectedFrame("10") + eventFrame("11", "11"));
    expect(state().transport).toBe("poll");
    await pass(15_000);
    await probe.send(cursorFrame("12"));
    expect(state()).toMatchObject({ transport: "stream", cursor: "12" });
    // It came while the stream was on probation, and by no poll.
    expect(client.received).toEqual(["11"]);
  });

  it("ends with the connection", async () => {
    await fallBack();
    await answerPoll("10");
    await client.server.wake();
    client.connection.close();
    expect([lastOf(streams()).aborted, lastOf(polls()).aborted]).toEqual([true, true]);
  });

  it("is tried no more beside polls that have ended", async () => {
    await fallBack();
    await answerPoll("10");
    await pass(250);
    await lastOf(polls()).fail();
    await pass(1_000);
    await answerPoll("10");
    await client.server.wake();
    expect(streams()).toHaveLength(2);
  });

  it("that took over and ends is followed by a stream", async () => {
    await fallBack();
    await answerPoll("10");
    await client.server.wake();
    await lastOf(streams()).stream(connectedFrame("10"));
    await lastOf(streams()).end();
    await pass(1_000);
    expect(streams()).toHaveLength(3);
  });
});
