import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Cursor, contains, parseCursor } from "../cursor.js";
import type { EventType, OutboxEvent } from "../protocol.js";
import { earliest, Recent, within } from "./recent.js";

const event = (id: number, type: EventType = "user_activity") =>
  ({ id: `${id}`, type, data: {} }) as unknown as OutboxEvent;

function cursor(text: string): Cursor {
  const parsed = parseCursor(text);
  if (!parsed) throw new Error(`${text} is no cursor`);
  return parsed;
}

/** A stream of one event a read. */
function memory(from: number, to: number): Recent {
  const recent = new Recent();
  recent.advance(`${from}`);
  for (let id = from + 1; id <= to; id += 1) {
    recent.add(event(id));
    recent.advance(`${id}`);
  }
  return recent;
}

const ids = (events: readonly OutboxEvent[] | null) => events?.map(({ id }) => id) ?? null;

it("knows what came after a cursor, gaps included, as far as it reaches back", () => {
  const recent = memory(10, 15);
  expect(ids(recent.after(cursor("13"), {}))).toEqual(["14", "15"]);
  expect(ids(recent.after(cursor("14~12"), {}))).toEqual(["12", "15"]);
  expect(ids(recent.after(cursor("10"), {}))).toEqual(["11", "12", "13", "14", "15"]);
  expect(recent.reaches(cursor("9"), {})).toBe(false);
  expect(recent.reaches(cursor("14~9"), {})).toBe(false);
  expect(recent.reaches(cursor("14@1"), {})).toBe(false);
  expect(ids(recent.after(cursor("13"), { subscriptions: ["system_health"] }))).toEqual([]);
});

it("knows nothing before the first cursor, and nothing of what it was made to forget", () => {
  const recent = new Recent();
  recent.add(event(1));
  expect(recent.reaches(cursor("5"), {})).toBe(false);
  recent.advance("5");
  expect(ids(recent.after(cursor("5"), {}))).toEqual([]);
  recent.forget();
  expect(recent.reaches(cursor("5"), {})).toBe(false);
  recent.advance("5");
  recent.pause();
  recent.advance("6");
  expect(recent.reaches(cursor("6"), {})).toBe(false);
  recent.resume("7");
  expect([recent.reaches(cursor("6"), {}), recent.reaches(cursor("7"), {})]).toEqual([false, true]);
});

it("keeps the last thousand, and whole reads only", () => {
  const recent = memory(0, 1_500);
  expect(ids(recent.after(cursor("500"), {}))).toHaveLength(1_000);
  expect(recent.reaches(cursor("499"), {})).toBe(false);
  for (let id = 1_501; id <= 2_600; id += 1) recent.add(event(id));
  expect(recent.reaches(cursor("1500"), {})).toBe(false);
  recent.advance("2600");
  expect(ids(recent.after(cursor("2600"), {}))).toEqual([]);
});

it("knows of types that were added later only from there on", () => {
  const recent = memory(10, 15);
  recent.widen(["system_health"], "13");
  recent.widen(["performance_alert"], undefined);
  expect(recent.reaches(cursor("12"), { subscriptions: ["system_health"] })).toBe(false);
  expect(ids(recent.after(cursor("13"), { subscriptions: ["system_health"] }))).toEqual([]);
  expect(recent.reaches(cursor("15"), { subscriptions: ["performance_alert"] })).toBe(false);
  expect(recent.reaches(cursor("15"), {})).toBe(false);
});

const anyCursor = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 5 }), fc.integer({ min: 0, max: 2 }))
  .map(([missing, epoch]) => {
    const gaps = missing.toSorted((a, b) => a - b);
    return `13${gaps.length > 0 ? `~${gaps.join(".")}` : ""}${epoch > 0 ? `@${epoch}` : ""}`;
  })
  .chain((text) => fc.constantFrom(text, text.replace(/^13/, "14"), "5", "7~3-4", "7~3.4"));

const contained = (text: string) =>
  Array.from({ length: 20 }, (_, id) => BigInt(id)).filter((id) => contains(cursor(text), id));

it("never takes one cursor to be within another that lacks something of it", () => {
  fc.assert(
    fc.property(anyCursor, anyCursor, (inner, outer) => {
      fc.pre(within(cursor(inner), cursor(outer)));
      expect(contained(outer)).toEqual(expect.arrayContaining(contained(inner)));
    }),
  );
  expect(within(cursor("7~3-4"), cursor("9~3.8"))).toBe(true);
  expect(within(cursor("7~3"), cursor("9~3-4"))).toBe(false);
});

it("finds a cursor that claims nothing which another lacks", () => {
  fc.assert(
    fc.property(fc.array(anyCursor, { minLength: 1, maxLength: 4 }), (texts) => {
      const found = earliest(texts) ?? "";
      const { epoch } = cursor(found);
      for (const text of texts) {
        expect(cursor(text).epoch).toBeGreaterThanOrEqual(epoch);
        if (cursor(text).epoch === epoch) {
          expect(contained(text)).toEqual(expect.arrayContaining(contained(found)));
        }
      }
    }),
  );
  expect(earliest([])).toBeUndefined();
  expect(earliest(["9", "7"])).toBe("7");
  expect(earliest(["9~5", "8~6"])).toBe("4");
  expect(earliest(["9", "nonsense"])).toBe("nonsense");
});

it("knows whether it has forgotten anything of a type", () => {
  const recent = memory(10, 15);
  expect(recent.remembers(cursor("10"), ["user_activity"])).toBe(true);
  expect(recent.remembers(cursor("9"), ["user_activity"])).toBe(false);
  expect(recent.remembers(cursor("9"), ["system_health"])).toBe(true);
});

it("tells what comes a second time", () => {
  const recent = memory(10, 15);
  expect([recent.add(event(15)), recent.add(event(16))]).toEqual([false, true]);
  recent.forget();
  expect(recent.add(event(15))).toBe(true);
});
