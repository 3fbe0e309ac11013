// The cache of TanStack Query follows the page's stream while a component is mounted.

import type { EventType } from "../protocol.js";
import { type RowcastEventsOptions, useRowcastEvents } from "../react/index.js";
import { applyEvent, type QueryCache, type QueryRows, refetch } from "./applyEvent.js";

export interface QueryEventsOptions<Types extends EventType, Row>
  extends QueryRows<Types, Row>,
    Pick<RowcastEventsOptions<Types>, "subscriptions" | "organizationId" | "since" | "filter"> {}

/**
 * Puts events into the cache as they come, and has the queries fetched again when events were missed. `since` is the cursor as of which
 * the list was read: while it is being fetched again, nothing that happens meanwhile is lost.
 */
export function useQueryEvents<Types extends EventType, Row>(
  cache: QueryCache,
  options: QueryEventsOptions<Types, Row>,
): void {
  const { subscriptions, organizationId, since, filter } = options;
  useRowcastEvents<Types>({
    subscriptions,
    organizationId,
    since,
    filter,
    onEvent: (event) => applyEvent(cache, event, options),
    onReset: () => refetch(cache, options),
  });
}
