import { expect, it } from "vitest";
import { type Cursor, parseCursor } from "./cursor.js";
import { Seen } from "./seen.js";

it("lets each id pass once", () => {
  const seen = new Seen();
  expect([seen.admit("5", "a"), seen.admit("5", "a"), seen.admit("6", "a")]).toEqual([true, false, true]);
});

it("lets a lower id pass when its transaction committed late", () => {
  const seen = new Seen("1040");
  seen.admit("1047", "a");
  seen.advance("1047~1042");
  expect([seen.admit("1042", "a"), seen.admit("1041", "a")]).toEqual([true, false]);
});

it("drops what a cursor from an earlier visit contains", () => {
  const seen = new Seen("1047~1042");
  expect([seen.admit("1047", "a"), seen.admit("1042", "a"), seen.admit("1048", "a")]).toEqual([
    false,
    true,
    true,
  ]);
});

it("knows repeats when the server falls back to an older cursor", () => {
  const seen = new Seen("10");
  seen.admit("11", "a");
  seen.admit("13", "a");
  seen.advance("10");
  expect([seen.admit("11", "a"), seen.admit("12", "a"), seen.admit("13", "a")]).toEqual([false, true, false]);
});

it("takes ids for new ones in another epoch, and after a reset", () => {
  const seen = new Seen("10");
  seen.admit("11", "a");
  seen.advance("9@1");
  expect([seen.admit("9", "a"), seen.admit("11", "a")]).toEqual([false, true]);
  seen.restart("3");
  expect([seen.admit("3", "a"), seen.admit("11", "a")]).toEqual([false, true]);
});

it("tells of events that may be lost: had before another life began, and not claimed by what the stream then says", () => {
  const seen = new Seen("10");
  seen.admit("11", "a");
  seen.advance("10@1");
  expect([seen.takeOrphans(), seen.takeOrphans()]).toEqual([true, false]);
  seen.admit("11", "a");
  seen.advance("11@2");
  expect(seen.takeOrphans()).toBe(false);
  seen.admit("12", "a");
  seen.advance("11@3");
  seen.restart("20@3");
  expect(seen.takeOrphans()).toBe(false);
});

it("forgets the oldest ids first, so that its memory is bounded", () => {
  const seen = new Seen();
  for (let id = 1; id <= 5000; id += 1) seen.admit(String(id), "a");
  expect([seen.admit("5000", "a"), seen.admit("1", "a")]).toEqual([false, true]);
});

function cursor(text: string): Cursor {
  const cursor = parseCursor(text);
  if (!cursor) throw new Error(`${text} is not a cursor`);
  return cursor;
}

const isB = (type: string) => type === "b";

it("keeps what it has had when a stream begins further back, and goes on from there", () => {
  const seen = new Seen("10");
  seen.advance("20~15");
  seen.advance("12");
  expect(["11", "14", "15", "20", "21"].map((id) => seen.admit(id, "a"))).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
  expect(seen.cursor).toBe("20~15");
  seen.advance("22");
  expect(seen.cursor).toBe("22");
});

it("goes on from where a late type begins until the stream is past everything", () => {
  const seen = new Seen("20~18");
  const beginning = seen.begin(isB, cursor("12~5"));
  expect(seen.cursor).toBe("12~5");
  beginning.confirm();
  seen.advance("21");
  expect(seen.cursor).toBe("12~5");
  seen.advance("12~5");
  expect([seen.admit("5", "a"), seen.admit("5", "b"), seen.admit("13", "b"), seen.admit("12", "b")]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  seen.advance("16");
  expect(seen.cursor).toBe("16");
  seen.advance("21");
  expect(seen.cursor).toBe("21");
});

it("is not misled by a heartbeat that was under way when the stream was told to go back", () => {
  const seen = new Seen("10");
  seen.begin(isB, cursor("20")).confirm();
  seen.beat();
  seen.advance("25");
  expect(seen.cursor).toBe("20");
  seen.advance("20");
  expect([seen.admit("22", "b"), seen.admit("24", "a")]).toEqual([true, false]);
  seen.advance("25");
  expect(seen.cursor).toBe("25");
});

it("knows by the second heartbeat that a stream need not go back", () => {
  const seen = new Seen("10");
  seen.begin(isB, cursor("20")).confirm();
  seen.beat();
  seen.beat();
  seen.advance("25");
  expect(seen.cursor).toBe("25");
});

it("forgets a late type that was refused", () => {
  const seen = new Seen("20");
  seen.begin(isB, cursor("12")).cancel();
  expect([seen.cursor, seen.admit("13", "b")]).toEqual(["20", false]);
});

it("takes late types for lost when another life of the database begins on the way", () => {
  const seen = new Seen("20");
  seen.begin(isB, cursor("12")).confirm();
  seen.advance("20@1");
  expect([seen.takeOrphans(), seen.cursor]).toEqual([true, "20@1"]);
});
