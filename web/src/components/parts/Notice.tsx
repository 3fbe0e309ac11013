// What must be known of the connection, above what is shown: it is cut, it lags, it began anew.

import type { ReactNode } from "react";
import { type Standing, useReconnect } from "../useStanding.js";

export function ConnectionNotice({ standing }: { standing: Standing }) {
  const reconnect = useReconnect();
  switch (standing) {
    case "reconnecting":
      return (
        <Notice tone="warning" action="Try now" onAction={reconnect}>
          Connection lost. What is shown may be out of date.
        </Notice>
      );
    case "stopped":
      return (
        <Notice tone="danger" action="Reconnect" onAction={reconnect}>
          Disconnected. What is shown stands still.
        </Notice>
      );
    case "degraded":
      return (
        <Notice tone="warning">The server has lost its database. Nothing is lost: it will catch up.</Notice>
      );
    default:
      return null;
  }
}

export function ResetNotice({ onDismiss }: { onDismiss: () => void }) {
  return (
    <Notice tone="info" action="Dismiss" onAction={onDismiss}>
      Some events were missed and can no longer be had. What is shown began anew.
    </Notice>
  );
}

interface Props {
  tone: "info" | "warning" | "danger";
  children: ReactNode;
  action?: string;
  onAction?: () => void;
}

function Notice({ tone, children, action, onAction }: Props) {
  return (
    <div className={`rc-notice rc-notice-${tone}`}>
      <p role="status">{children}</p>
      {action && (
        <button type="button" className="rc-button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}
