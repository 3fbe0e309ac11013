// Whatever consumers come and go, each gets exactly the events that match while it was there: judged against a list.

import * as fc from "fast-check";
import { expect, it, vi } from "vitest";
import type { Interest } from "../connection.js";
import { concerns } from "../interest.js";
import type { EventType } from "../protocol.js";
import { Feed } from "../testing/feed.js";
import { FakeServer } from "../testing/server.js";
import { createHub, type Seat } from "./hub.js";

const TYPES: readonly EventType[] = ["document_processing", "user_activity", "system_health"];

const interest: fc.Arbitrary<Interest> = fc.record({
  subscriptions: fc.option(fc.subarray([...TYPES], { minLength: 1 }), { nil: undefined }),
  organizationId: fc.option(fc.constantFrom("o1", "o2"), { nil: undefined }),
});

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("join" as const), interest, back: fc.option(fc.nat(6)) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), who: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("want" as const), who: fc.nat(), interest }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("emit" as const),
      type: fc.constantFrom(...TYPES),
      organizationId: fc.option(fc.constantFrom("o1", "o2"), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("settle" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
);

interface Guest {
  seat: Seat;
  interest: Interest;
  /** Ids that it must have: what happened while all that it asked for was in force, and what it joined to catch up with. */
  readonly due: string[];
  readonly got: string[];
  resets: number;
  /** The stream has all that it asked for. */
  settled: boolean;
}

it("gives each consumer exactly what matches while it is there", async () => {
  vi.useFakeTimers();
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const feed = new Feed();
      const { environment, faults } = new FakeServer();
      const hub = createHub({ connect: feed.connect }, environment);
      const present: Guest[] = [];
      const all: Guest[] = [];

      const join = (wanted: Interest, since: string | undefined): void => {
        const guest: Omit<Guest, "seat"> = {
          interest: wanted,
          due: [],
          got: [],
          resets: 0,
          settled: false,
        };
        const seat = hub.join({
          ...wanted,
          since,
          onEvent: (event) => {
            guest.got.push(event.id);
            expect(concerns(guest.interest, event)).toBe(true);
            if (concerns(wanted, event)) expect(Number(event.id)).toBeGreaterThan(Number(since ?? 0));
          },
          onReset: () => {
            guest.resets += 1;
            guest.due.length = 0;
          },
        });
        const missed = since === undefined ? [] : feed.log.slice(Number(since));
        for (const event of missed) if (concerns(wanted, event)) guest.due.push(event.id);
        const whole: Guest = Object.assign(guest, { seat });
        present.push(whole);
        all.push(whole);
      };

      for (const step of actions) {
        if (step.kind === "join") {
          join(step.interest, step.back === null ? undefined : `${Math.max(0, feed.head - step.back)}`);
        } else if (step.kind === "leave") {
          const [guest] = present.splice(step.who % Math.max(present.length, 1), 1);
          guest?.seat.leave();
          // What it was owed when it left in the middle of everything, it need not have got.
          if (guest && !guest.settled) guest.due.length = 0;
        } else if (step.kind === "want") {
          const guest = present[step.who % Math.max(present.length, 1)];
          if (!guest) continue;
          guest.interest = step.interest;
          guest.settled = false;
          // What is still to come of the time before goes by what is wanted now.
          const kept = feed.log.filter((event) => concerns(step.interest, event)).map(({ id }) => id);
          guest.due.splice(
            0,
            guest.due.length,
            ...guest.due.filter((id) => kept.includes(id) || guest.got.includes(id)),
          );
          void guest.seat.want(step.interest);
        } else if (step.kind === "emit") {
          const event = feed.emit(step.type, step.organizationId);
          for (const guest of present) {
            if (guest.settled && concerns(guest.interest, event)) guest.due.push(event.id);
          }
        } else {
          await feed.settle();
          if (step.kind === "wait") await vi.advanceTimersByTimeAsync(15_000);
          await feed.settle();
          for (const guest of present) guest.settled = true;
        }
      }
      await feed.settle();

      for (const guest of all) {
        expect(new Set(guest.got).size).toBe(guest.got.length);
        expect(guest.got).toEqual(expect.arrayContaining(guest.due));
      }
      expect(feed.open.length).toBe(present.length > 0 ? 1 : 0);
      expect(faults).toEqual([]);
    }),
    { numRuns: 300 },
  );
  vi.useRealTimers();
});
