// Every event as it comes, of any type, an app's own types included; searched, narrowed, held still.

import { memo, useCallback, useDeferredValue, useMemo, useState } from "react";
import { formatCount, formatTime } from "../../components/format.js";
import type { OutboxEvent } from "../../protocol.js";
import { type Filter, isFiltering, matcher, noFilter } from "./filter.js";
import { LogFilter } from "./LogFilter.js";
import type { Log, LogStore } from "./log.js";
import { onArrowKeys } from "./onArrowKeys.js";

/** How many lines are drawn, until more are asked for. */
const PAGE = 100;

interface Props {
  store: LogStore;
  log: Log;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  /** What passes the filter, newest first. */
  shown: readonly OutboxEvent[];
  /** What is open in the inspector. */
  inspected: string | null;
  onInspect: (event: OutboxEvent) => void;
}

/** What passes a filter, newest first. */
export function useShown({ events }: Log, filter: Filter): readonly OutboxEvent[] {
  const settled = useDeferredValue(filter);
  return useMemo(() => events.filter(matcher(settled)).reverse(), [events, settled]);
}

export function EventLog({ store, log, filter, onFilter, shown, inspected, onInspect }: Props) {
  const [drawn, setDrawn] = useState(PAGE);
  const [focused, setFocused] = useState<string | null>(null);
  const lines = shown.slice(0, drawn);
  // One line is in the order of Tab; the arrow keys go on from there.
  const entry = lines.some(({ id }) => id === focused) ? focused : (lines[0]?.id ?? null);
  const onFocus = useCallback((id: string) => setFocused(id), []);
  return (
    <section className="rd-log-panel" aria-labelledby="rd-log">
      <header>
        <h2 id="rd-log">Event log</h2>
        <Pause store={store} log={log} />
        <button
          type="button"
          className="rd-button"
          onClick={() => store.push("clear")}
          disabled={log.events.length === 0}
        >
          Clear
        </button>
      </header>
      <LogFilter log={log} filter={filter} onFilter={onFilter} />
      {lines.length === 0 ? (
        <Nothing log={log} filter={filter} onFilter={onFilter} />
      ) : (
        <div className="rd-log-body">
          <ol className="rd-log" data-testid="log" aria-label="Events, newest first" onKeyDown={onArrowKeys}>
            {lines.map((event) => (
              <Line
                key={event.id}
                event={event}
                entry={event.id === entry}
                current={event.id === inspected}
                onFocus={onFocus}
                onInspect={onInspect}
              />
            ))}
          </ol>
          {shown.length > drawn && (
            <button type="button" className="rd-link rd-log-more" onClick={() => setDrawn(drawn + PAGE)}>
              Show {formatCount(Math.min(PAGE, shown.length - drawn))} more of {formatCount(shown.length)}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function Pause({ store, log: { waiting, dropped } }: { store: LogStore; log: Log }) {
  if (waiting === null) {
    return (
      <button type="button" className="rd-button" onClick={() => store.push("pause")}>
        Pause
      </button>
    );
  }
  return (
    <>
      {dropped > 0 && <small>{formatCount(dropped)} more came than can wait</small>}
      <button type="button" className="rd-button rd-button-on" onClick={() => store.push("resume")}>
        Resume <span data-testid="waiting">{formatCount(waiting.length)} waiting</span>
      </button>
    </>
  );
}

function Nothing({ log, filter, onFilter }: Pick<Props, "log" | "filter" | "onFilter">) {
  if (isFiltering(filter) && log.events.length > 0) {
    return (
      <p className="rd-nothing">
        None of {formatCount(log.events.length)} events match.{" "}
        <button type="button" className="rd-link" onClick={() => onFilter(noFilter)}>
          Show all
        </button>
      </p>
    );
  }
  return (
    <p className="rd-nothing">
      Nothing yet. Attach a table and write a row:{" "}
      <code>SELECT rowcast.attach('public.documents', 'document_processing');</code>
    </p>
  );
}

interface LineProps {
  event: OutboxEvent;
  entry: boolean;
  current: boolean;
  onFocus: (id: string) => void;
  onInspect: (event: OutboxEvent) => void;
}

/** Events never change, so a line is rendered when it comes and when one moves to it. */
const Line = memo(function Line({ event, entry, current, onFocus, onInspect }: LineProps) {
  return (
    <li data-id={event.id}>
      <button
        type="button"
        tabIndex={entry ? 0 : -1}
        aria-current={current ? "true" : undefined}
        onFocus={() => onFocus(event.id)}
        onClick={() => onInspect(event)}
      >
        <time className="rd-log-time" dateTime={event.timestamp}>
          {formatTime(event.timestamp)}
        </time>
        <code className="rd-log-id">{event.id}</code>
        <span className={`rd-operation rd-operation-${event.operation.toLowerCase()}`}>
          {event.operation}
        </span>
        <span className="rd-log-type rd-ellipsis">{event.type}</span>
        <code className="rd-log-data rd-ellipsis">{dataOf(event)}</code>
        <span className="rd-log-where rd-ellipsis">{event.organizationId ?? "platform"}</span>
      </button>
    </li>
  );
});

/** More than a line holds would only be laid out for nothing. */
const dataOf = ({ data }: OutboxEvent): string => (JSON.stringify(data) ?? "").slice(0, 240);
