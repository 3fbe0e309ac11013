// Errors, the last one first; the same one again is counted. Each opens to what is known of it.

import { memo, useId, useState } from "react";
import { formatCount, formatName, formatTime } from "./format.js";
import { type ErrorItem, errors } from "./model/errors.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { Paused } from "./parts/Paused.js";
import { type Inspect, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { useHeld } from "./parts/useHeld.js";
import { type Scope, useProjection } from "./useProjection.js";

/** What {@link ErrorFeed} takes. */
export interface ErrorFeedProps extends Pick<Scope, "organizationId"> {
  /** Lists the last occurrences of an error as buttons that open their events. */
  onInspect?: Inspect | undefined;
}

const TONES: Record<string, Tone> = { low: "neutral", medium: "warning", high: "danger", critical: "danger" };

/** Errors, those of one kind together. */
export function ErrorFeed({ organizationId, onInspect }: ErrorFeedProps) {
  const followed = useProjection(errors, { organizationId });
  const { shown, isHeld, handlers } = useHeld(followed.value);
  return (
    <Panel
      title="Errors"
      followed={followed}
      empty={shown.length === 0}
      hint="No errors so far. They would appear here, with how often they came."
      tools={<Paused isHeld={isHeld} />}
    >
      <div className="rc-body" {...handlers}>
        <Rows label="Errors, the last one first" interactive>
          {shown.map((item) => (
            <ErrorRow key={item.key} item={item} onInspect={onInspect} />
          ))}
        </Rows>
      </div>
    </Panel>
  );
}

interface ErrorRowProps {
  item: ErrorItem;
  onInspect: Inspect | undefined;
}

const ErrorRow = memo(function ErrorRow({ item, onInspect }: ErrorRowProps) {
  const [open, setOpen] = useState(false);
  const details = useId();
  const { event, component, severity, message, times } = item;
  return (
    <li
      className={`rc-row rc-error ${open ? "rc-open" : ""}`}
      data-key={event.key}
      onKeyDown={({ key, currentTarget }) => {
        if (key !== "Escape" || !open) return;
        setOpen(false);
        currentTarget.querySelector("button")?.focus();
      }}
    >
      <button
        type="button"
        className="rc-row-line"
        tabIndex={-1}
        aria-expanded={open}
        aria-controls={open ? details : undefined}
        onClick={() => setOpen(!open)}
      >
        <span className="rc-line-head">
          <Badge tone={TONES[severity] ?? "warning"}>{formatName(severity)}</Badge>
          <small className="rc-ellipsis">{formatName(component)}</small>
          {times > 1 && (
            <span className="rc-times">
              <span aria-hidden="true">×{formatCount(times)}</span>
              <span className="rc-unseen">{times} times</span>
            </span>
          )}
          <Time of={event} />
        </span>
        <span className="rc-row-text">{message}</span>
      </button>
      {open && <Details id={details} of={item} onInspect={onInspect} />}
    </li>
  );
});

function Details({ id, of: item, onInspect }: { id: string; of: ErrorItem; onInspect: Inspect | undefined }) {
  const facts: [string, string | undefined][] = [
    ["Impact on users", item.userImpact && formatName(item.userImpact)],
    ["Resolution", item.resolution],
    ["Sentry issue", item.sentryIssueId],
    ["First seen", item.times > 1 ? formatTime(item.firstAt) : undefined],
    ["Organizations", item.organizations.join(", ") || undefined],
  ];
  return (
    <div className="rc-details" id={id}>
      <dl className="rc-facts">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {item.stackTrace ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
        <section className="rc-code" tabIndex={0} aria-label="Stack trace">
          <pre>{item.stackTrace}</pre>
        </section>
      ) : (
        <p className="rc-remark">No stack trace: none was sent, or it is hidden from your role.</p>
      )}
      {onInspect && (
        <p className="rc-occurrences">
          {item.occurrences.toReversed().map((event) => (
            <button key={event.id} type="button" className="rc-button" onClick={() => onInspect(event)}>
              Event of {formatTime(event.timestamp)}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
