// What the user must know about the connection right now, in words, and what there is to do about it.

import type { ReactNode } from "react";
import { useNow } from "../components/parts/useNow.js";
import type { ConnectionState } from "../connection.js";
import type { ResetReason } from "../protocol.js";

interface Props {
  connection: ConnectionState;
  reset: ResetReason | null;
  onSeen: () => void;
  onReconnect: () => void;
}

const RESETS: Record<ResetReason, string> = {
  history_expired: "The server no longer keeps what happened while you were away.",
  invalid_cursor: "The server could not read where this page had been.",
  cursor_ahead: "The database has lost what happened last, in a failover or a restore.",
};

export function Notices({ connection, reset, onSeen, onReconnect }: Props) {
  const { status, error, degraded, cursor } = connection;
  const resumes = cursor === "" ? "" : " Nothing is lost: the stream resumes where it was.";
  return (
    <div className="rc-notices" role="status">
      {status === "reconnecting" && (
        <Notice tone="warning" action="Reconnect now" onAction={onReconnect}>
          <strong>Reconnecting.</strong> {explain(error?.message)}
          {resumes} <Countdown until={connection.retryAt} />
        </Notice>
      )}
      {status === "error" && (
        <Notice tone="danger" action="Try again" onAction={onReconnect}>
          <strong>The stream cannot be opened.</strong> {explain(error?.message)}
        </Notice>
      )}
      {status === "connected" && degraded && (
        <Notice tone="warning">
          <strong>The server has lost its database.</strong> The stream stays open and catches up when it is
          back.
        </Notice>
      )}
      {reset && (
        <Notice tone="info" action="Dismiss" onAction={onSeen}>
          <strong>This page started anew.</strong> {RESETS[reset]} What you see is complete from here on.
        </Notice>
      )}
    </div>
  );
}

interface NoticeProps {
  tone: "info" | "warning" | "danger";
  action?: string;
  onAction?: () => void;
  children: ReactNode;
}

function Notice({ tone, action, onAction, children }: NoticeProps) {
  return (
    <div className={`rc-notice rc-notice-${tone}`}>
      <p>{children}</p>
      {action && (
        <button type="button" className="rc-button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

/** Seconds until the next attempt; not announced, or a screen reader would count along. */
function Countdown({ until }: { until: number | null }) {
  const now = useNow();
  if (until === null) return <span aria-hidden="true">Trying…</span>;
  return <span aria-hidden="true">Next attempt in {Math.max(0, Math.ceil((until - now) / 1000))} s.</span>;
}

function explain(message: string | undefined): string {
  return message ? `${message.charAt(0).toUpperCase()}${message.slice(1)}.` : "";
}
