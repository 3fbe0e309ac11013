// What a client has seen: the cursor, which is the `id:` of the stream. `N[~gaps][@epoch]`, for example
// `1047~1040.1042-1044`: everything up to 1047, except 1040 and 1042 to 1044, whose transactions were still open.

/** A parsed cursor. Ids are bigints: they may pass 2^53. */
export interface Cursor {
  readonly high: bigint;
  /** Ranges that are not contained: inclusive, ascending, disjoint, below `high`. */
  readonly gaps: readonly (readonly [first: bigint, last: bigint])[];
  /** Which life of the database the ids belong to: 0 until a failover has lost the end of one. */
  readonly epoch: number;
}

const CURSOR = /^(\d{1,19})(?:~(\d{1,19}(?:-\d{1,19})?(?:\.\d{1,19}(?:-\d{1,19})?)*))?(?:@(\d{1,10}))?$/;

/** Reads a cursor; null when the text is not one. */
export function parseCursor(text: string): Cursor | null {
  const parts = CURSOR.exec(text);
  if (!parts) return null;
  const [, digits = "", ranges, epoch = "0"] = parts;
  const high = BigInt(digits);
  const gaps: [bigint, bigint][] = [];
  let above = 0n;
  for (const range of ranges?.split(".") ?? []) {
    const [start = "", end = start] = range.split("-");
    const first = BigInt(start);
    const last = BigInt(end);
    if (first <= above || last < first) return null;
    gaps.push([first, last]);
    above = last;
  }
  if (gaps.length > 0 && above >= high) return null;
  return { high, gaps, epoch: Number(epoch) };
}

/** Whether whoever holds this cursor has had the event of this id, or never needs to see it. */
export function contains(cursor: Cursor, id: bigint): boolean {
  return id <= cursor.high && !cursor.gaps.some(([first, last]) => first <= id && id <= last);
}
