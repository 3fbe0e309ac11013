// The status of the stream as a word and a colour.

import type { Status } from "../connection.js";

const WORDS: Record<Status, string> = {
  disconnected: "Disconnected",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  error: "Error",
};

export function StatusIndicator({ status, degraded = false }: { status: Status; degraded?: boolean }) {
  const shown = status === "connected" && degraded ? "degraded" : status;
  return (
    <span className={`rc-status rc-status-${shown}`} data-testid="status">
      <span className="rc-dot" aria-hidden="true" />
      {shown === "degraded" ? "Degraded" : WORDS[status]}
    </span>
  );
}
