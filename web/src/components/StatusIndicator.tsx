// The status of the stream as a word and a colour.

import type { Status } from "../connection.js";

const WORDS: Record<Status, string> = {
  disconnected: "Disconnected",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  error: "Error",
};

/** What {@link StatusIndicator} takes. */
export interface StatusIndicatorProps {
  status: Status;
  /** The server has lost its database; the stream stays open and catches up. */
  degraded?: boolean;
}

/** The state of the connection, in a word. */
export function StatusIndicator({ status, degraded = false }: StatusIndicatorProps) {
  const shown = status === "connected" && degraded ? "degraded" : status;
  return (
    <span className={`rc-root rc-status rc-status-${shown}`} role="status" data-testid="status">
      <span className="rc-dot" aria-hidden="true" />
      {shown === "degraded" ? "Degraded" : WORDS[status]}
    </span>
  );
}
