// A line of a list. It opens the event behind it, where somebody wants to know of that.

import type { ReactNode } from "react";
import type { OutboxEvent } from "../../protocol.js";
import { formatTime } from "../format.js";

/** Looks into an event. */
export type Inspect = (event: OutboxEvent) => void;

interface Props {
  event: OutboxEvent;
  className?: string;
  onInspect: Inspect | undefined;
  children: ReactNode;
}

export function Row({ event, className = "", onInspect, children }: Props) {
  return (
    <li className={`rc-row ${className}`} data-key={event.key}>
      {onInspect ? (
        <button type="button" className="rc-row-line" tabIndex={-1} onClick={() => onInspect(event)}>
          {children}
        </button>
      ) : (
        <div className="rc-row-line">{children}</div>
      )}
    </li>
  );
}

export function Time({ of }: { of: OutboxEvent }) {
  return (
    <time className="rc-time" dateTime={of.timestamp}>
      {formatTime(of.timestamp)}
    </time>
  );
}
