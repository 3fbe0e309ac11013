// What the user must know about the connection right now, in words, and what there is to do about it.

import type { ReactNode } from "react";
import type { ConnectionState } from "../../connection.js";
import type { RowcastError } from "../../errors.js";
import type { ResetReason } from "../../protocol.js";
import { formatSentence, formatSpan } from "../format.js";
import { hrefOf, type Route } from "../route.js";
import { TokenForm } from "../session/TokenForm.js";
import { useNow } from "../useNow.js";

/** As long before its end as the server says so. */
const EXPIRING = 60_000;

const RESETS: Record<ResetReason, string> = {
  history_expired: "The server no longer keeps what happened while you were away.",
  invalid_cursor: "The server could not read where this page had been.",
  cursor_ahead: "The database has lost what happened last, in a failover or a restore.",
};

interface Props {
  connection: ConnectionState;
  route: Route;
  reset: ResetReason | null;
  /** When the token ends, in milliseconds of wall time. */
  expiresAt: number | null;
  /** Somebody has asked to paste a newer token. */
  renewing: boolean;
  onSeen: () => void;
  onReconnect: () => void;
  onToken: (token: string) => void;
  onSignOut: () => void;
}

export function Notices(props: Props) {
  const { connection, route, reset, expiresAt, renewing, onSeen, onReconnect, onToken, onSignOut } = props;
  const { status, error, degraded, cursor } = connection;
  const now = useNow();
  const left = expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt - now;
  const refused = status === "error" && error?.kind === "unauthorized";
  const expiring = status === "connected" && left > 0 && left <= EXPIRING;
  const resumes = cursor === "" ? "" : " Nothing is lost: the stream resumes where it was.";
  return (
    <section className="rd-notices" aria-label="Notices">
      <div role="status">
        {status === "reconnecting" && (
          <Notice tone="warning" action="Reconnect now" onAction={onReconnect}>
            <strong>Reconnecting.</strong> {error && formatSentence(error.message)}
            {resumes} <Countdown until={connection.retryAt} now={now} />
          </Notice>
        )}
        {status === "disconnected" && cursor !== "" && (
          <Notice tone="info" action="Connect" onAction={onReconnect}>
            <strong>Disconnected.</strong> You have ended the stream.{resumes}
          </Notice>
        )}
        {status === "error" && !refused && (
          <Stopped error={error} route={route} onReconnect={onReconnect} onSignOut={onSignOut} />
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
        {refused && <Words>Your token is no longer accepted. Paste a new one to go on.</Words>}
        {expiring && <Words>Your token is about to end. Paste a new one to stay connected.</Words>}
      </div>
      {(refused || expiring || renewing) && (
        <Notice tone={refused ? "danger" : expiring ? "warning" : "info"}>
          <p>
            <RenewWords error={refused ? error : null} expiring={expiring} left={left} />
          </p>
          <TokenForm label="New token" action={refused ? "Go on" : "Stay connected"} onToken={onToken} />
        </Notice>
      )}
    </section>
  );
}

/** What is announced once, in place of a text that counts seconds. */
function Words({ children }: { children: string }) {
  return <p className="rd-hidden">{children}</p>;
}

interface RenewProps {
  error: RowcastError | null;
  expiring: boolean;
  /** Milliseconds. */
  left: number;
}

function RenewWords({ error, expiring, left }: RenewProps) {
  if (error) {
    return (
      <>
        <strong>
          {error.code === "token_expired" ? "Your token has expired." : "Your token is no longer accepted."}
        </strong>{" "}
        What you see stays, and with a new token the stream goes on where it was.
      </>
    );
  }
  if (expiring) {
    return (
      <>
        <strong>Your token ends in {formatSpan(Math.ceil(left / 1000))}.</strong> Paste a new one to stay
        connected.
      </>
    );
  }
  return (
    <>
      <strong>A newer token</strong> keeps the stream open beyond the end of this one.
    </>
  );
}

interface StoppedProps {
  error: RowcastError | null;
  route: Route;
  onReconnect: () => void;
  onSignOut: () => void;
}

/** Another attempt by itself would end in the same way. */
function Stopped({ error, route, onReconnect, onSignOut }: StoppedProps) {
  if (error?.kind === "forbidden" && route.organization !== null) {
    return (
      <Notice tone="danger" action="Try again" onAction={onReconnect}>
        <strong>You may see nothing of {route.organization}.</strong> {formatSentence(error.message)}{" "}
        <a href={hrefOf({ ...route, organization: null })}>Show all organizations</a>
      </Notice>
    );
  }
  if (error?.kind === "forbidden") {
    return (
      <Notice tone="danger" action="Sign out" onAction={onSignOut}>
        <strong>Your access has ended.</strong> Nothing new will appear here until somebody grants it again.{" "}
        <button type="button" className="rd-link" onClick={onReconnect}>
          Try again
        </button>
      </Notice>
    );
  }
  if (error?.kind === "disconnected") {
    return (
      <Notice tone="danger" action="Connect again" onAction={onReconnect}>
        <strong>Somebody has ended your streams.</strong> What you see stays as it was then.
      </Notice>
    );
  }
  return (
    <Notice tone="danger" action="Try again" onAction={onReconnect}>
      <strong>The stream cannot be opened.</strong> {error && formatSentence(error.message)}
    </Notice>
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
    <div className={`rd-notice rd-notice-${tone}`}>
      <div className="rd-notice-text">{children}</div>
      {action && (
        <button type="button" className="rd-button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

/** Seconds until the next attempt; not announced, or a screen reader would count along. */
function Countdown({ until, now }: { until: number | null; now: number }) {
  if (until === null) return <span aria-hidden="true">Trying…</span>;
  return <span aria-hidden="true">Next attempt in {Math.max(0, Math.ceil((until - now) / 1000))} s.</span>;
}
