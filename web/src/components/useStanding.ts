// How the stream is doing, as far as it matters to somebody who waits for events of one type.

import { useSyncExternalStore } from "react";
import { type ConnectionState, initialState } from "../connection.js";
import type { EventType } from "../protocol.js";
import { usePage } from "../react/page.js";

/**
 * `connecting`: nothing can have come yet. `denied`: the role may not see these events. `degraded`: the server has lost
 * its database and catches up by itself. `stopped`: nothing comes any more unless somebody asks for it.
 */
export type Standing = "connecting" | "live" | "degraded" | "reconnecting" | "stopped" | "denied";

/** Without a type: how the stream is as a whole. */
export function standingOf(state: ConnectionState, type?: EventType): Standing {
  const { status, error, connectionId, subscriptions, degraded } = state;
  switch (status) {
    case "connected":
      if (type && subscriptions.length > 0 && !subscriptions.includes(type)) return "denied";
      return degraded ? "degraded" : "live";
    case "error":
      return error?.kind === "forbidden" ? "denied" : "stopped";
    case "reconnecting":
      return "reconnecting";
    case "connecting":
      return connectionId === null ? "connecting" : "reconnecting";
    case "disconnected":
      return connectionId === null ? "connecting" : "stopped";
  }
}

/** Renders when the standing changes, not with every event that moves the cursor. */
export function useStanding(type?: EventType): Standing {
  const { hub } = usePage();
  return useSyncExternalStore(
    hub.watch,
    () => standingOf(hub.state, type),
    () => standingOf(initialState, type),
  );
}

export function useReconnect(): () => void {
  return usePage().hub.reconnect;
}
