import { expect, it } from "vitest";
import { formatAgo, formatLag, formatSentence, formatSpan } from "./format.js";

it.each([
  [0, "just now"],
  [999, "just now"],
  [1_000, "1 second ago"],
  [59_999, "59 seconds ago"],
  [180_000, "3 minutes ago"],
  [7_200_000, "2 hours ago"],
  [86_400_000, "yesterday"],
  [-120_000, "in 2 minutes"],
])("%i ms are %s", (ms, text) => {
  expect(formatAgo(ms)).toBe(text);
});

it.each([
  [-4, "< 1 ms"],
  [3.24, "3.2 ms"],
  [240.4, "240 ms"],
  [1_340, "1.3 s"],
  [245_000, "4 min 5 s"],
])("a lag of %d ms is %s", (ms, text) => {
  expect(formatLag(ms)).toBe(text);
});

it.each([
  [0, "0 s"],
  [59, "59 s"],
  [3_600, "1 h"],
  [187_200, "2 d 4 h"],
  [86_460, "1 d"],
])("%i seconds are %s", (seconds, text) => {
  expect(formatSpan(seconds)).toBe(text);
});

it("makes a sentence", () => {
  expect(formatSentence("the token has expired")).toBe("The token has expired.");
});
