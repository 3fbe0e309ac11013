// What is over its limit, and what no longer is.

import { memo } from "react";
import { formatDuration, formatFigure, formatName } from "./format.js";
import { type AlertItem, alerts } from "./model/alerts.js";
import { Badge } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { type Inspect, Row, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { useSettled } from "./parts/useSettled.js";
import { type Scope, useProjection } from "./useProjection.js";

export interface AlertListProps extends Scope {
  /** Makes each alert a button that opens the last event about it. */
  onInspect?: Inspect | undefined;
}

/** Performance alerts: one line for each that fires or has fired, firing ones first. */
export function AlertList({ organizationId, chatbotId, onInspect }: AlertListProps) {
  const followed = useProjection(alerts, { organizationId, chatbotId });
  const firing = followed.value.filter((alert) => alert.firing).length;
  const announced = useSettled(firing);
  return (
    <Panel
      title="Alerts"
      followed={followed}
      empty={followed.value.length === 0}
      hint="All quiet. A metric that passes its limit appears here."
      tools={
        firing > 0 ? (
          <span className="rc-summary rc-tone-danger">{firing} firing</span>
        ) : (
          <span className="rc-summary rc-tone-good">All resolved</span>
        )
      }
    >
      <p className="rc-unseen" role="status">
        {announced > 0
          ? `${announced} ${announced === 1 ? "alert is" : "alerts are"} firing`
          : "No alert is firing"}
      </p>
      <div className="rc-body">
        <Rows label="Alerts, those that fire first" interactive={onInspect !== undefined}>
          {followed.value.map((alert) => (
            <AlertRow key={alert.key} alert={alert} onInspect={onInspect} />
          ))}
        </Rows>
      </div>
    </Panel>
  );
}

const AlertRow = memo(function AlertRow({
  alert: { event, metric, value, threshold, firing, message, chatbotId, lasted, fired },
  onInspect,
}: {
  alert: AlertItem;
  onInspect: Inspect | undefined;
}) {
  return (
    <Row event={event} className={`rc-alert rc-tone-${firing ? "danger" : "good"}`} onInspect={onInspect}>
      <span className="rc-line-head">
        <Badge tone={firing ? "danger" : "good"}>{firing ? "Firing" : "Resolved"}</Badge>
        <small className="rc-ellipsis">{chatbotId ?? event.organizationId}</small>
        {fired > 1 && <small className="rc-fixed">{fired} times</small>}
        <Time of={event} />
      </span>
      <span className="rc-row-text">{message}</span>
      {value !== undefined && threshold !== undefined && (
        <span className="rc-limit">
          <small className="rc-ellipsis">{formatName(metric)}</small>
          <Limit value={value} threshold={threshold} />
          <small className="rc-fixed">
            {formatFigure(value)} of {formatFigure(threshold)}
            {lasted !== undefined && `, lasted ${formatDuration(lasted)}`}
          </small>
        </span>
      )}
    </Row>
  );
});

const LENGTH = 100;

/** The value as a bar, the limit as a mark on it. */
function Limit({ value, threshold }: { value: number; threshold: number }) {
  const scale = LENGTH / (Math.max(value, threshold, Number.MIN_VALUE) * 1.15);
  const bounded = (figure: number): number => Math.min(LENGTH, Math.max(0, figure * scale));
  return (
    <svg className="rc-limit-bar" viewBox={`0 0 ${LENGTH} 6`} preserveAspectRatio="none" aria-hidden="true">
      <rect className="rc-limit-way" width={LENGTH} height="6" />
      <rect className="rc-limit-value" width={bounded(value)} height="6" />
      <rect className="rc-limit-mark" x={bounded(threshold) - 0.75} width="1.5" height="6" />
    </svg>
  );
}
