// What several parties want of one stream: what it has to cover, and which of its events are whose.

import type { Interest } from "./connection.js";
import { parseCursor } from "./cursor.js";
import { RowcastError } from "./errors.js";
import type { OutboxEvent } from "./protocol.js";

/** Whether the event is one of those that are asked for. What is platform-wide belongs to every organization. */
export function concerns({ subscriptions, organizationId }: Interest, event: OutboxEvent): boolean {
  if (subscriptions && !subscriptions.includes(event.type)) return false;
  return (
    organizationId === undefined ||
    event.organizationId === undefined ||
    event.organizationId === organizationId
  );
}

/** Whether a stream of `outer` has every event that `inner` asks for. */
export function includes(outer: Interest, inner: Interest): boolean {
  const { subscriptions: types } = outer;
  if (types && !inner.subscriptions?.every((type) => types.includes(type))) return false;
  return outer.organizationId === undefined || outer.organizationId === inner.organizationId;
}

/**
 * The least that a stream can be asked for which has what each of them asks for: it may have more, since a stream has
 * the same types in all of its organizations. Sorted, so that equal interests are equal texts. Of nobody: no types.
 */
export function union(interests: Iterable<Interest>): Interest {
  const types = new Set<NonNullable<Interest["subscriptions"]>[number]>();
  const organizations = new Set<string | undefined>();
  let all = false;
  for (const { subscriptions, organizationId } of interests) {
    organizations.add(organizationId);
    if (subscriptions) for (const type of subscriptions) types.add(type);
    else all = true;
  }
  const [organizationId, ...others] = organizations;
  return {
    subscriptions: all ? undefined : [...types].sort(),
    organizationId: others.length === 0 ? organizationId : undefined,
  };
}

/** Why it cannot be wanted, if it cannot. */
export function faultOf({ subscriptions }: Interest, since: string | undefined): RowcastError | undefined {
  if (subscriptions?.length === 0)
    return new RowcastError(
      "refused",
      "`subscriptions` names no type: leave it out for all, or close the connection",
    );
  if (since !== undefined && !parseCursor(since))
    return new RowcastError(
      "refused",
      "`since` is not a cursor: take what `rowcast.current_cursor()` returns",
    );
  return undefined;
}
