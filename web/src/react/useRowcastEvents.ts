// Events for those who do not want state: each calls back, and nothing renders.

import { useEffect } from "react";
import type { EventOf, EventType } from "../protocol.js";
import type { StoreOptions } from "../store.js";
import { persistenceOf, usePage } from "./page.js";
import { useLatest, useTypes } from "./stable.js";

/** What {@link useRowcastEvents} takes. */
export interface RowcastEventsOptions<Types extends EventType = EventType>
  extends Pick<
    StoreOptions<Types>,
    "subscriptions" | "organizationId" | "since" | "filter" | "onEvent" | "onReset"
  > {
  /** Every event, once and as it comes: nothing is batched or left out. */
  readonly onEvent: (event: EventOf<Types>) => void;
}

/**
 * Calls back for each event while the component is mounted. `filter`, `onEvent` and `onReset` may change at any time. `since` is the cursor of
 * the data that the component has loaded; with another one, events after that are handed out again.
 */
export function useRowcastEvents<Types extends EventType = EventType>(
  options: RowcastEventsOptions<Types>,
): void {
  const page = usePage();
  const { hub } = page;
  const latest = useLatest({ options, persistence: persistenceOf({}, page) });
  const { since, organizationId = page.organizationId } = options;
  const subscriptions = useTypes(options.subscriptions);
  useEffect(() => {
    const seat = hub.join({
      subscriptions,
      organizationId,
      since,
      ...latest.current.persistence,
      onEvent: (received) => {
        // The hub hands out what was asked for: events of these types.
        const event = received as EventOf<Types>;
        const { filter, onEvent } = latest.current.options;
        if (filter?.(event) !== false) onEvent(event);
      },
      onReset: (reason) => latest.current.options.onReset?.(reason),
    });
    return seat.leave;
  }, [hub, subscriptions, organizationId, since, latest]);
}
