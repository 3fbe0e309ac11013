// A cursor in words.

import { type Cursor, parseCursor } from "../../cursor.js";

const whole = new Intl.NumberFormat("en");
/** More gaps than this are counted, not named. */
const NAMED = 3;

/** What the holder of this cursor has seen. */
export function cursorWords(text: string): string {
  if (text === "") return "The stream has not begun.";
  const cursor = parseCursor(text);
  if (!cursor) return "Only the server can read this one.";
  const { high, epoch } = cursor;
  const gaps = gapWords(cursor);
  const life =
    epoch > 0 ? ` The database has lost its latest events ${epoch === 1 ? "once" : `${epoch} times`}.` : "";
  return `Everything up to event ${whole.format(high)} has been seen${gaps}.${life}`;
}

function gapWords({ gaps }: Cursor): string {
  if (gaps.length === 0) return "";
  const named = gaps
    .slice(0, NAMED)
    .map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
  const more = gaps.length > NAMED ? ` and ${gaps.length - NAMED} more ranges` : "";
  return `, except ${named.join(", ")}${more}, whose transactions were still open`;
}
