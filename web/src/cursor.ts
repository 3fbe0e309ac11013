// What a client has seen: the cursor, which is the `id:` of the stream. `N[~gaps][@epoch]`, for example
// `1047~1040.1042-1044`: everything up to 1047, except 1040 and 1042 to 1044, whose transactions were still open.

/** A parsed cursor. Ids are bigints: they may pass 2^53. */
export interface Cursor {
  readonly high: bigint;
  /** Ranges that are not contained: ascending, disjoint, below `high`. */
  readonly gaps: readonly Range[];
  /** Which life of the database the ids belong to: 0 until a failover has lost the end of one. */
  readonly epoch: number;
}

/** Ids from one to the other, both included. */
export type Range = readonly [first: bigint, last: bigint];

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

/** What either has had. Both belong to the same life of the database, as below. */
export function union(a: Cursor, b: Cursor): Cursor {
  const both = lacking(a).flatMap(([first, last]) =>
    lacking(b).map(([start, end]): Range => [first > start ? first : start, last < end ? last : end]),
  );
  return without(
    both.filter(([first, last]) => first <= last),
    a.epoch,
  );
}

/** What both have had. */
export function intersection(a: Cursor, b: Cursor): Cursor {
  return without([...lacking(a), ...lacking(b)], a.epoch);
}

/** Whether `a` has had everything that `b` has had. */
export function covers(a: Cursor, b: Cursor): boolean {
  return formatCursor(union(a, b)) === formatCursor(union(a, a));
}

/** As it is sent. */
export function formatCursor({ high, gaps, epoch }: Cursor): string {
  const ranges = gaps.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(".");
  return `${high}${ranges && `~${ranges}`}${epoch ? `@${epoch}` : ""}`;
}

/** Above every id. */
const END = 1n << 64n;

function lacking({ high, gaps }: Cursor): Range[] {
  return [...gaps, [high + 1n, END]];
}

/** The cursor that lacks exactly these, which reach to the end. */
function without(ranges: Range[], epoch: number): Cursor {
  const merged: [bigint, bigint][] = [];
  for (const [first, last] of ranges.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = merged.at(-1);
    if (!before || first > before[1] + 1n) merged.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  const [end = END] = merged.pop() ?? [];
  return { high: end - 1n, gaps: merged, epoch };
}
