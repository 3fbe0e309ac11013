import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cursor, contains, covers, formatCursor, intersection, parseCursor, union } from "./cursor.js";

describe("parseCursor", () => {
  it("reads an id, gaps and an epoch", () => {
    expect(parseCursor("1047~1040.1042-1044@2")).toEqual({
      high: 1047n,
      gaps: [
        [1040n, 1040n],
        [1042n, 1044n],
      ],
      epoch: 2,
    });
    expect(parseCursor("9007199254740993")).toEqual({ high: 9007199254740993n, gaps: [], epoch: 0 });
  });

  it.each([
    "",
    "-1",
    "+1",
    "1~",
    "1~@",
    "x",
    "1@",
    "1 ",
    "٣",
    "5~5",
    "5~6",
    "9~3.2",
    "9~3-2",
    "9~0",
    "9~2-4.4",
  ])("refuses %j", (text) => expect(parseCursor(text)).toBeNull());
});

it("contains everything up to its id but for the gaps", () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(
    fc.property(ids, (seen) => {
      const high = Math.max(...seen);
      const missing = Array.from({ length: high }, (_, at) => at + 1).filter((id) => !seen.includes(id));
      const cursor = parseCursor(missing.length > 0 ? `${high}~${missing.join(".")}` : `${high}`);
      for (let id = 1; id <= 45; id += 1) {
        expect(cursor && contains(cursor, BigInt(id))).toBe(seen.includes(id));
      }
    }),
  );
});

it("treats both ends of a range as missing", () => {
  const cursor = parseCursor("20~5-8");
  const contained = [4n, 5n, 8n, 9n, 20n, 21n].map((id) => cursor && contains(cursor, id));
  expect(contained).toEqual([true, false, false, true, true, false]);
});

describe("two cursors", () => {
  /** A cursor, and the ids that it contains. */
  const cursors = fc.uniqueArray(fc.integer({ min: 1, max: 40 })).map((ids) => {
    const high = Math.max(0, ...ids);
    const gaps = upTo(high).filter((id) => !ids.includes(id));
    const cursor = parseCursor(`${high}${gaps.length > 0 ? `~${gaps.join(".")}` : ""}@3`);
    if (!cursor) throw new Error("not a cursor");
    return { cursor, had: ids };
  });

  const idsOf = (cursor: Cursor) => upTo(60).filter((id) => contains(cursor, BigInt(id)));

  it("have together what either or both have, written so that it can be read again", () => {
    fc.assert(
      fc.property(cursors, cursors, (a, b) => {
        const either = union(a.cursor, b.cursor);
        const both = intersection(a.cursor, b.cursor);
        expect(idsOf(either)).toEqual(upTo(40).filter((id) => a.had.includes(id) || b.had.includes(id)));
        expect(idsOf(both)).toEqual(upTo(40).filter((id) => a.had.includes(id) && b.had.includes(id)));
        for (const cursor of [either, both]) expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
        expect(covers(a.cursor, b.cursor)).toBe(b.had.every((id) => a.had.includes(id)));
      }),
    );
  });
});

function upTo(high: number): number[] {
  return Array.from({ length: high }, (_, index) => index + 1);
}
