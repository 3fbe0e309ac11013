import { expect, it } from "vitest";
import { sorted } from "./CountTable.js";

const rows: [string, number][] = [
  ["ben", 1],
  ["ann", 3],
  ["cleo", 1],
];
const names = (order: "name" | "count", descending: boolean) =>
  sorted(rows, order, descending).map(([name]) => name);

it("sorts by either column, in both directions, and never at random", () => {
  expect(names("count", true)).toEqual(["ann", "ben", "cleo"]);
  expect(names("count", false)).toEqual(["ben", "cleo", "ann"]);
  expect(names("name", false)).toEqual(["ann", "ben", "cleo"]);
  expect(names("name", true)).toEqual(["cleo", "ben", "ann"]);
});
