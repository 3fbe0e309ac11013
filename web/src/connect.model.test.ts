// Whatever happens on the way, each event comes exactly once and in the order in which it was committed, or a reset has
// said that it will not come.

import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { connect } from "./connect.js";
import type { ConnectionState, Transport } from "./connection.js";
import { pass } from "./testing/client.js";
import { Outbox, type Weather } from "./testing/outbox.js";
import { FakeServer } from "./testing/server.js";

type Step = (outbox: Outbox, server: FakeServer) => Promise<void> | void;

/** Shown by fast-check when a run fails. */
function step(name: string, run: Step) {
  return Object.assign(run, { [fc.toStringMethod]: () => name });
}

const weathers: Weather[] = ["open", "open", "held", "stuffy", "down", "full", "stale"];

const steps = fc.oneof(
  fc.constant(step("begin", (outbox) => outbox.begin())),
  {
    weight: 4,
    arbitrary: fc.nat(3).map((which) => step(`commit ${which}`, (outbox) => outbox.commit(which))),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(4), fc.boolean())
      .map(([count, isCut]) => step(`write ${count} ${isCut}`, (outbox) => outbox.write(count, isCut))),
  },
  { weight: 2, arbitrary: fc.constant(step("cut", (outbox) => outbox.cut())) },
  fc.constant(step("expire", (outbox) => outbox.expire())),
  fc.constant(step("wake", (_, server) => server.wake())),
  {
    weight: 3,
    arbitrary: fc.constantFrom(...weathers).map((weather) =>
      step(weather, (outbox) => {
        outbox.weather = weather;
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(0, 300, 2_000, 6_000, 11_000, 46_000)
      .map((ms) => step(`pass ${ms}`, () => pass(ms))),
  },
);

/** How often what is hard has been met with. */
const met = { polls: 0, takeovers: 0, resets: 0, duplicates: 0 };

async function run(way: readonly Step[], seed: number): Promise<void> {
  const server = new FakeServer();
  server.environment.random = () => seed;
  const received: string[] = [];
  /** Those since the last reset, which is where the app has begun anew: what it had before may come again. */
  const account = new Set<string>();
  const doubled: string[] = [];
  const outbox = new Outbox(server, received);
  let tokens = 0;
  let before: Transport = "stream";
  const handlers = {
    onEvent({ id }: { id: string }) {
      if (account.has(id)) doubled.push(id);
      account.add(id);
      if (!received.includes(id)) received.push(id);
    },
    onState: ({ transport }: ConnectionState) => {
      if (transport !== before) met[transport === "poll" ? "polls" : "takeovers"] += 1;
      before = transport;
    },
    onReset: () => {
      met.resets += 1;
      account.clear();
    },
  };
  const token = () => {
    tokens += 1;
    return `t${tokens}`;
  };
  const connection = connect({ token, lastEventId: "0" }, handlers, server.environment);
  await pass(0);
  for (const each of way) {
    await outbox.serve();
    await each(outbox, server);
    await pass(0);
  }

  outbox.weather = "open";
  outbox.commitAll();
  connection.reconnect();
  for (let turn = 0; turn < 40; turn += 1) {
    await outbox.serve();
    await outbox.write(5, false);
    await pass(1_000);
  }
  expect(connection.state.status).toBe("connected");
  met.duplicates += connection.state.duplicates;
  connection.close();
  await pass(0);
  expect(server.listeners).toBe(0);
  expect(doubled).toEqual([]);
  expect(received).toEqual(outbox.log.map(String).filter((id) => !outbox.excused.has(Number(id))));
  expect(server.faults).toEqual([]);
}

it("tells each event once, in order, and loses none", { timeout: 120_000 }, async () => {
  vi.useFakeTimers();
  await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 40 }), fc.constantFrom(0.1, 0.5, 0.9), run), {
    numRuns: 100,
  });
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  expect(Math.min(...Object.values(met)), JSON.stringify(met)).toBeGreaterThan(0);
});
