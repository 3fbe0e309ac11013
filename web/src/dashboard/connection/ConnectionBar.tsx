// The connection in figures, in one line, and the way to all that is known of it.

import type { ReactNode } from "react";
import { formatCount, formatDecimal } from "../../components/format.js";
import { Sparkline } from "../../components/parts/Sparkline.js";
import type { ConnectionState } from "../../connection.js";
import { formatLag, formatSpan } from "../format.js";
import { type Lag, quantile } from "../lag/lag.js";
import { useNow } from "../useNow.js";
import { useRate } from "./useRate.js";

const STATUS_WORDS = {
  disconnected: "Not connected",
  connecting: "Connecting",
  connected: "Live",
  reconnecting: "Reconnecting",
  error: "Stopped",
} as const;

interface Props {
  connection: ConnectionState;
  received: number;
  lag: Lag;
  /** The id of the panel with the rest. */
  panel: string;
  open: boolean;
  onToggle: () => void;
}

export function ConnectionBar({ connection, received, lag, panel, open, onToggle }: Props) {
  const { perSecond, history } = useRate(received);
  const now = useNow();
  const { status, degraded, cursor, heardAt } = connection;
  const median = quantile(lag, 0.5, now);
  return (
    <div className="rd-bar">
      <Fact name="Stream" note={heardAt !== null && heardWords(now - heardAt)}>
        {status === "connected" && degraded ? "Degraded" : STATUS_WORDS[status]}
      </Fact>
      <Fact name="Events per second" wide>
        {formatDecimal(perSecond)}
        <span className="rc-root rd-fact-spark">
          <Sparkline values={history} />
        </span>
      </Fact>
      <Fact name="Lag" note={median !== null && "median"}>
        {median === null ? "–" : formatLag(median)}
      </Fact>
      <Fact name="Received">{formatCount(received)}</Fact>
      <Fact name="Cursor">
        <code data-testid="cursor" className="rd-ellipsis" title={cursor}>
          {cursor || "–"}
        </code>
      </Fact>
      <button
        type="button"
        className="rd-button rd-bar-more"
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        onClick={onToggle}
      >
        Connection
        <span className="rd-caret" aria-hidden="true" />
      </button>
    </div>
  );
}

/** Short, or the line would break and the page move every second. */
function heardWords(silence: number): string {
  return silence < 2000 ? "heard just now" : `heard ${formatSpan(silence / 1000)} ago`;
}

interface FactProps {
  name: string;
  note?: string | false;
  wide?: boolean;
  children: ReactNode;
}

function Fact({ name, note = false, wide = false, children }: FactProps) {
  return (
    <dl className="rd-fact" data-wide={wide}>
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <small>{note}</small>}
      </dd>
    </dl>
  );
}
