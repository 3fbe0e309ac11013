// Events of any type as a list, the newest first: for an app that has events of its own to show.

import { memo, useId } from "react";
import type { OutboxEvent } from "../protocol.js";
import { formatCount } from "./format.js";
import { Blank } from "./parts/Blank.js";
import { type Inspect, Row, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";

/** What {@link EventList} takes. */
export interface EventListProps {
  /** Oldest first, as `useSSE` gives them. */
  events: readonly OutboxEvent[];
  title: string;
  /** How many are shown, the newest of them. 10. */
  maxEvents?: number;
  /** Makes each line a button that opens the event. */
  onInspect?: Inspect | undefined;
}

/** Events as they came, whatever their type. */
export function EventList({ events, title, maxEvents = 10, onInspect }: EventListProps) {
  const heading = useId();
  const shown = events.slice(Math.max(0, events.length - maxEvents)).reverse();
  return (
    <section className="rc-root rc-panel" aria-labelledby={heading}>
      <header className="rc-panel-head">
        <h2 className="rc-panel-title" id={heading}>
          {title}
        </h2>
        <span className="rc-count">{formatCount(events.length)}</span>
      </header>
      {shown.length === 0 ? (
        <Blank icon="quiet">Nothing came so far.</Blank>
      ) : (
        <div className="rc-body">
          <Rows label={`${title}, the newest first`} interactive={onInspect !== undefined}>
            {shown.map((event) => (
              <EventRow key={event.id} event={event} onInspect={onInspect} />
            ))}
          </Rows>
        </div>
      )}
    </section>
  );
}

/** Events never change, so a line is rendered once. */
const EventRow = memo(function EventRow({
  event,
  onInspect,
}: {
  event: OutboxEvent;
  onInspect: Inspect | undefined;
}) {
  return (
    <Row event={event} className="rc-event" onInspect={onInspect}>
      <span className="rc-line-head">
        <strong className="rc-ellipsis">{event.type}</strong>
        <small className="rc-operation">{event.operation}</small>
        <Time of={event} />
      </span>
      <code className="rc-ellipsis">{JSON.stringify(event.data)}</code>
    </Row>
  );
});
