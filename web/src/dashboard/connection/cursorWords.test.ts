import { expect, it } from "vitest";
import { cursorWords } from "./cursorWords.js";

it.each([
  ["", "The stream has not begun."],
  ["nonsense", "Only the server can read this one."],
  ["1047", "Everything up to event 1,047 has been seen."],
  [
    "1047~1040.1042-1044",
    "Everything up to event 1,047 has been seen, except 1040, 1042 to 1044, whose transactions were still open.",
  ],
  [
    "50~1.3.5.7.9",
    "Everything up to event 50 has been seen, except 1, 3, 5 and 2 more ranges, whose transactions were still open.",
  ],
  ["7@1", "Everything up to event 7 has been seen. The database has lost its latest events once."],
])("%s", (cursor, words) => {
  expect(cursorWords(cursor)).toBe(words);
});
