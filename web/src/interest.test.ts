import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Interest } from "./connection.js";
import { concerns, includes, union } from "./interest.js";
import type { EventType, OutboxEvent } from "./protocol.js";

const types: EventType[] = ["system_health", "user_activity", "document_processing"];
const interest: fc.Arbitrary<Interest> = fc.record({
  subscriptions: fc.option(fc.subarray(types), { nil: undefined }),
  organizationId: fc.constantFrom("o1", "o2", undefined),
});
const everything = types.flatMap((type) =>
  [undefined, "o1", "o2", "o3"].map((organizationId) => ({ type, organizationId }) as OutboxEvent),
);
const eventsOf = (of: Interest) => everything.filter((event) => concerns(of, event));

describe("concerns", () => {
  const event = { type: "user_activity", organizationId: "o1" } as OutboxEvent;
  it("goes by the type and by the organization", () => {
    expect(concerns({}, event)).toBe(true);
    expect(concerns({ subscriptions: ["user_activity"], organizationId: "o1" }, event)).toBe(true);
    expect(concerns({ subscriptions: ["system_health"] }, event)).toBe(false);
    expect(concerns({ organizationId: "o2" }, event)).toBe(false);
  });

  it("counts what is platform-wide to every organization", () => {
    const { organizationId: _, ...wide } = event;
    expect(concerns({ organizationId: "o2" }, wide as OutboxEvent)).toBe(true);
  });
});

describe("union", () => {
  it("is sorted, without repeats, and as narrow as its parts", () => {
    expect(
      union([
        { subscriptions: ["user_activity", "system_health"], organizationId: "o1" },
        { subscriptions: ["user_activity"], organizationId: "o1" },
      ]),
    ).toEqual({ subscriptions: ["system_health", "user_activity"], organizationId: "o1" });
    expect(union([])).toEqual({ subscriptions: [], organizationId: undefined });
  });

  it("has every event of its parts", () => {
    fc.assert(
      fc.property(fc.array(interest, { minLength: 1, maxLength: 4 }), (parts) => {
        const whole = union(parts);
        for (const part of parts) {
          expect(includes(whole, part)).toBe(true);
          expect(eventsOf(whole)).toEqual(expect.arrayContaining(eventsOf(part)));
        }
      }),
    );
  });
});

describe("includes", () => {
  it("is never said of a stream that lacks an event", () => {
    fc.assert(
      fc.property(interest, interest, (outer, inner) => {
        fc.pre(includes(outer, inner));
        expect(eventsOf(outer)).toEqual(expect.arrayContaining(eventsOf(inner)));
      }),
    );
  });

  it("is said of itself, and not of half of what is asked for", () => {
    fc.assert(fc.property(interest, (one) => includes(one, one)));
    expect(includes({ subscriptions: ["user_activity"] }, {})).toBe(false);
    expect(includes({ organizationId: "o1" }, { organizationId: "o2" })).toBe(false);
    expect(includes({ organizationId: "o1" }, {})).toBe(false);
  });
});
