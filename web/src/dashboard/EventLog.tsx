// Every event as it comes, of any type, an app's own types included.

import { memo, useState } from "react";
import { formatCount, formatName } from "../components/format.js";
import { type Inspect, Time } from "../components/parts/Row.js";
import type { OutboxEvent } from "../protocol.js";

interface Props {
  events: readonly OutboxEvent[];
  counts: Readonly<Record<string, number>>;
  subscriptions: readonly string[];
  onInspect: Inspect;
}

export function EventLog({ events, counts, subscriptions, onInspect }: Props) {
  const [chosen, choose] = useState<string | null>(null);
  const types = [...new Set([...subscriptions, ...Object.keys(counts)])].filter(
    (type) => type !== "connection_status",
  );
  const shown = events.filter((event) => chosen === null || event.type === chosen).toReversed();
  return (
    <section className="rc-root rc-panel" aria-labelledby="rc-log">
      <header className="rc-panel-head">
        <h2 className="rc-panel-title" id="rc-log">
          Event log
        </h2>
      </header>
      <fieldset className="rc-filter">
        <legend className="rc-unseen">Show events of</legend>
        <Choice label="All" count={total(counts)} chosen={chosen === null} onChoose={() => choose(null)} />
        {types.sort().map((type) => (
          <Choice
            key={type}
            label={formatName(type)}
            count={counts[type] ?? 0}
            chosen={chosen === type}
            onChoose={() => choose(type)}
          />
        ))}
      </fieldset>
      {shown.length === 0 ? (
        <p className="rc-blank">
          Nothing yet. Attach a table and write a row:{" "}
          <code>SELECT rowcast.attach('public.documents', 'document_processing');</code>
        </p>
      ) : (
        <div className="rc-body">
          <ol className="rc-log" data-testid="log">
            {shown.map((event) => (
              <Line key={event.id} event={event} onInspect={onInspect} />
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

interface ChoiceProps {
  label: string;
  count: number;
  chosen: boolean;
  onChoose: () => void;
}

function Choice({ label, count, chosen, onChoose }: ChoiceProps) {
  return (
    <button type="button" className="rc-chip" aria-pressed={chosen} onClick={onChoose}>
      {label} <span>{formatCount(count)}</span>
    </button>
  );
}

/** Events never change, so a line is rendered once. */
const Line = memo(function Line({ event, onInspect }: { event: OutboxEvent; onInspect: Inspect }) {
  return (
    <li data-id={event.id}>
      <button type="button" onClick={() => onInspect(event)}>
        <Time of={event} />
        <code className="rc-log-id">{event.id}</code>
        <span className={`rc-operation rc-operation-${event.operation.toLowerCase()}`}>
          {event.operation}
        </span>
        <span className="rc-log-type">{event.type}</span>
        <code className="rc-log-data rc-ellipsis">{JSON.stringify(event.data)}</code>
        <span className="rc-log-where rc-ellipsis">{event.organizationId ?? "platform"}</span>
      </button>
    </li>
  );
});
