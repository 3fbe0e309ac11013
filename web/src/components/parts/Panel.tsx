// The frame of every panel: a title, how many events came, and what to say while there is nothing to show.

import { type ReactNode, useContext, useId } from "react";
import type { EventType } from "../../protocol.js";
import { formatCount } from "../format.js";
import { TallyContext } from "../live.js";

interface Props {
  title: string;
  type: EventType;
  /** A word for the size on wide screens. */
  size: "wide" | "half" | "third";
  empty: boolean;
  /** What will appear here. */
  hint: string;
  children: ReactNode;
}

export function Panel({ title, type, size, empty, hint, children }: Props) {
  const { subscriptions, counts } = useContext(TallyContext);
  const heading = useId();
  const connected = subscriptions.length > 0;
  const closed = connected && !subscriptions.includes(type);
  return (
    <section className={`rc-panel rc-panel-${size}`} aria-labelledby={heading} data-type={type}>
      <header>
        <h2 id={heading}>{title}</h2>
        {!closed && (
          <span className="rc-count" title={`Events of type ${type}`} data-testid={`count-${type}`}>
            {formatCount(counts[type] ?? 0)}
          </span>
        )}
      </header>
      {empty ? (
        <Nothing connected={connected} closed={closed} hint={hint} />
      ) : (
        <div className="rc-body">{children}</div>
      )}
    </section>
  );
}

function Nothing({ connected, closed, hint }: { connected: boolean; closed: boolean; hint: string }) {
  if (closed) return <p className="rc-nothing rc-nothing-closed">Your role may not see these events.</p>;
  if (!connected) return <p className="rc-nothing rc-nothing-loading">Connecting…</p>;
  return <p className="rc-nothing">{hint}</p>;
}
