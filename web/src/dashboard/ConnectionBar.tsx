// The connection in figures.

import type { ReactNode } from "react";
import { formatCount, formatDecimal } from "../components/format.js";
import { Sparkline } from "../components/parts/Sparkline.js";
import { useNow } from "../components/parts/useNow.js";
import { useRate } from "../components/parts/useRate.js";
import type { ConnectionState } from "../connection.js";

const STATUS_WORDS = {
  disconnected: "Not connected",
  connecting: "Connecting",
  connected: "Live",
  reconnecting: "Reconnecting",
  error: "Stopped",
} as const;

export function ConnectionBar({ connection, received }: { connection: ConnectionState; received: number }) {
  const { perSecond, history } = useRate(received);
  const { status, cursor, reconnects, duplicates, heardAt } = connection;
  return (
    <section className="rc-connection" aria-label="Connection">
      <Fact name="Stream">
        {STATUS_WORDS[status]}
        <LastHeard at={heardAt} />
      </Fact>
      <Fact name="Events per second">
        {formatDecimal(perSecond)}
        <Sparkline values={history} />
      </Fact>
      <Fact name="Received">{formatCount(received)}</Fact>
      <Fact name="Cursor">
        <code data-testid="cursor" title={cursor}>
          {cursor || "–"}
        </code>
      </Fact>
      <Fact name="Reconnects">
        <span data-testid="reconnects">{reconnects}</span>
        {duplicates > 0 && <small>{formatCount(duplicates)} repeats dropped</small>}
      </Fact>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <dl className="rc-fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </dl>
  );
}

function LastHeard({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null) return null;
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  return <small>heard {seconds < 1 ? "just now" : `${seconds} s ago`}</small>;
}
