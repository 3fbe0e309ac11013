import { expect, it } from "vitest";
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
