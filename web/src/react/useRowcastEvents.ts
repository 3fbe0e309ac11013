// Events for those who do not want state: every event calls back, nothing renders.

import { useEffect, useInsertionEffect, useRef } from "react";
import type { EventOf, EventType, ResetReason } from "../protocol.js";
import { usePage } from "./RowcastProvider.js";

export interface RowcastEventsOptions<Types extends EventType = EventType> {
  /** Absent: every type that the user may see. */
  subscriptions?: readonly Types[] | undefined;
  /** Absent: every organization of the user. */
  organizationId?: string | undefined;
  /** A cursor: what is shown already. */
  since?: string | undefined;
  /** Events that it does not hold for are left out. */
  filter?: ((event: EventOf<Types>) => boolean) | undefined;
  onEvent: (event: EventOf<Types>) => void;
  onReset?: ((reason: ResetReason) => void) | undefined;
}

export function useRowcastEvents<Types extends EventType = EventType>(
  options: RowcastEventsOptions<Types>,
): void {
  const page = usePage();
  const { hub } = page;
  const latest = useRef(options);
  useInsertionEffect(() => {
    latest.current = options;
  });
  const { since, organizationId = page.organizationId } = options;
  const types = options.subscriptions?.join();
  useEffect(() => {
    const seat = hub.join({
      subscriptions: types?.split(",") as Types[] | undefined,
      organizationId,
      since,
      onEvent(received) {
        // The hub hands out what was asked for: events of these types.
        const event = received as EventOf<Types>;
        if (latest.current.filter?.(event) !== false) latest.current.onEvent(event);
      },
      onReset: (reason) => latest.current.onReset?.(reason),
    });
    return seat.leave;
  }, [hub, types, organizationId, since]);
}
