// All that is known of the connection, and what can be done with it.

import type { ReactNode } from "react";
import { formatCount } from "../../components/format.js";
import type { ConnectionState, Role, Transport } from "../../connection.js";
import { formatLag, formatSpan } from "../format.js";
import { LagChart } from "../lag/LagChart.js";
import { type Lag, quantile } from "../lag/lag.js";
import { useNow } from "../useNow.js";
import { cursorWords } from "./cursorWords.js";
import { TypeSwitches } from "./TypeSwitches.js";
import type { Types } from "./useTypes.js";

const TRANSPORTS: Record<Transport, [string, string]> = {
  stream: ["Stream", "One answer that goes on, over fetch."],
  poll: ["Long-poll", "Something on the way holds streams back; one request follows the other."],
  eventsource: ["EventSource", "The browser's own, with a ticket."],
};

const ROLES: Record<Role, [string, string]> = {
  alone: ["Alone", "This tab has a stream of its own."],
  leader: ["Leader", "This tab's stream is for all tabs of this user."],
  follower: ["Follower", "Another tab of this user holds the stream for this one."],
};

interface Props {
  id: string;
  connection: ConnectionState;
  lag: Lag;
  types: Types;
  /** When the token ends, in milliseconds of wall time. */
  expiresAt: number | null;
  onReconnect: () => void;
  onDisconnect: () => void;
}

export function ConnectionPanel(props: Props) {
  const { id, connection, lag, types, expiresAt, onReconnect, onDisconnect } = props;
  const now = useNow();
  const { status, transport, role, cursor, reconnects, duplicates, connectionId } = connection;
  const [transportName, transportNote] = TRANSPORTS[transport];
  const [roleName, roleNote] = ROLES[role];
  const closed = status === "disconnected";
  return (
    <section id={id} className="rd-connection" aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>Connection</h2>
        <button type="button" className="rd-button" onClick={onReconnect}>
          {closed ? "Connect" : "Reconnect"}
        </button>
        <button type="button" className="rd-button" onClick={onDisconnect} disabled={closed}>
          Disconnect
        </button>
      </header>
      <div className="rd-connection-parts">
        <dl className="rd-details">
          <Detail name="Transport" note={transportNote}>
            {transportName}
          </Detail>
          <Detail name="This tab" note={roleNote}>
            <span data-testid="role">{roleName}</span>
          </Detail>
          <Detail name="Cursor" note={cursorWords(cursor)}>
            <code>{cursor || "–"}</code>
          </Detail>
          <Detail name="Connection id">
            <code data-testid="connection-id">{connectionId ?? "–"}</code>
          </Detail>
          <Detail name="Reconnects">
            <span data-testid="reconnects">{formatCount(reconnects)}</span>
          </Detail>
          <Detail name="Repeats dropped" note="Events that came again, which this page did not show again.">
            <span data-testid="duplicates">{formatCount(duplicates)}</span>
          </Detail>
          <Detail name="Token">{expiryWords(expiresAt, now)}</Detail>
        </dl>
        <div className="rd-connection-lag">
          <h3>Lag, from the row's writing to this page</h3>
          <dl className="rd-lag-figures">
            <Figure name="Now" value={connection.lag} />
            <Figure name="Median" value={quantile(lag, 0.5, now)} mark="median" />
            <Figure name="95th percentile" value={quantile(lag, 0.95, now)} mark="late" />
          </dl>
          <LagChart lag={lag} now={now} />
        </div>
        <TypeSwitches types={types} covered={connection.subscriptions} live={status === "connected"} />
      </div>
    </section>
  );
}

function expiryWords(expiresAt: number | null, now: number): string {
  if (expiresAt === null) return "does not say when it ends";
  const left = (expiresAt - now) / 1000;
  return left > 0 ? `ends in ${formatSpan(left)}` : "has ended";
}

function Detail({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Figure({ name, value, mark }: { name: string; value: number | null; mark?: "median" | "late" }) {
  return (
    <div data-mark={mark}>
      <dt>{name}</dt>
      <dd>{value === null ? "–" : formatLag(value)}</dd>
    </div>
  );
}
