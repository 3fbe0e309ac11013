// A line of a panel that opens the event behind it.

import type { ReactNode } from "react";
import type { OutboxEvent } from "../../protocol.js";
import { formatTime } from "../format.js";
import { useLive } from "../live.js";

interface Props {
  event: OutboxEvent;
  className?: string;
  children: ReactNode;
}

export function Row({ event, className = "", children }: Props) {
  const { inspect } = useLive();
  return (
    <li className={`rc-row ${className}`} data-key={event.key}>
      <button type="button" onClick={() => inspect(event)}>
        {children}
      </button>
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
