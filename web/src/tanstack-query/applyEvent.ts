// Events into the cache of TanStack Query: what it holds of a row becomes what the event says of it.

import { contains, parseCursor } from "../cursor.js";
import type { EventOf, EventType } from "../protocol.js";

/** The key of a query, as TanStack Query has it. */
export type QueryKey = readonly unknown[];

/** What is needed of a `QueryClient`, of any version that has these two. */
export interface QueryCache {
  setQueryData(queryKey: QueryKey, updater: (old: unknown) => unknown): unknown;
  invalidateQueries(filters: { queryKey: QueryKey; exact?: boolean }): Promise<unknown>;
}

/** Where rows are in the cache, and how an event becomes one. */
export interface QueryRows<Types extends EventType, Row> {
  /**
   * The query of a list: an array of rows, or an object with `rows` and the `cursor` as of which they were read. Events
   * that this cursor contains are in the rows already, and are left out.
   */
  readonly list?: QueryKey | undefined;
  /** The query of one row, by its key. Only what is in the cache is changed. */
  readonly detail?: ((key: string) => QueryKey) | undefined;
  /** The beginning of the keys of all these queries: fetched again when events were missed. The list. */
  readonly root?: QueryKey | undefined;
  /** A row's primary key as text, as events have it in `key`. */
  readonly keyOf: (row: Row) => string;
  /** The row after the event; `before` is what the cache has of it. */
  readonly rowOf: (event: EventOf<Types>, before: Row | undefined) => Row;
  /** Whether the list has such a row. Always. */
  readonly belongs?: ((row: Row) => boolean) | undefined;
  /** Where the list has what is new. `last`. */
  readonly insert?: "first" | "last" | undefined;
}

/** Puts one event into the cache. Events without a key, as of `rowcast.emit`, say nothing of a row and change nothing. */
export function applyEvent<Types extends EventType, Row>(
  cache: QueryCache,
  event: EventOf<Types>,
  rows: QueryRows<Types, Row>,
): void {
  const { list, detail } = rows;
  // The table is empty now; what else that means only the app's own server knows.
  if (event.operation === "TRUNCATE") {
    refetch(cache, rows);
    return;
  }
  if (event.key === undefined) return;
  if (list) cache.setQueryData(list, (old) => inList(old, event, rows));
  if (!detail) return;
  const queryKey = detail(event.key);
  // Whoever looks at it asks for it once more, and is told that it is gone.
  if (event.operation === "DELETE") void cache.invalidateQueries({ queryKey, exact: true });
  else cache.setQueryData(queryKey, (old) => (old === undefined ? old : rows.rowOf(event, old as Row)));
}

/** Events were missed: has all of it fetched again. */
export function refetch(
  cache: QueryCache,
  { root, list }: Pick<QueryRows<never, never>, "root" | "list">,
): void {
  const queryKey = root ?? list;
  if (queryKey) void cache.invalidateQueries({ queryKey });
}

function inList<Types extends EventType, Row>(
  old: unknown,
  event: EventOf<Types>,
  rows: QueryRows<Types, Row>,
): unknown {
  // What is in the cache is what the app's own query has put there.
  if (Array.isArray(old)) return changed(old as Row[], event, rows);
  if (typeof old !== "object" || old === null || !("rows" in old) || !Array.isArray(old.rows)) return old;
  const cursor = "cursor" in old && typeof old.cursor === "string" ? parseCursor(old.cursor) : null;
  if (cursor && contains(cursor, BigInt(event.id))) return old;
  return { ...old, rows: changed(old.rows as Row[], event, rows) };
}

function changed<Types extends EventType, Row>(
  list: readonly Row[],
  event: EventOf<Types>,
  { keyOf, rowOf, belongs = () => true, insert = "last" }: QueryRows<Types, Row>,
): Row[] {
  const index = list.findIndex((row) => keyOf(row) === event.key);
  const others = () => list.filter((_, at) => at !== index);
  if (event.operation === "DELETE") return others();
  const row = rowOf(event, list[index]);
  if (!belongs(row)) return others();
  if (index >= 0) return list.map((before, at) => (at === index ? row : before));
  return insert === "first" ? [row, ...list] : [...list, row];
}
