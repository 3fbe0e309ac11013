// Every component's health: how it is, what was measured against which limit, what to do, and how it fared before.

import { memo } from "react";
import { formatDecimal, formatDuration, formatName, formatTime } from "./format.js";
import { type Check, type HealthItem, health } from "./model/health.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { type Inspect, Row } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { Sparkline } from "./parts/Sparkline.js";
import { type Scope, useProjection } from "./useProjection.js";
import { useStanding } from "./useStanding.js";

/** What {@link SystemHealthMonitor} takes. */
export interface SystemHealthMonitorProps extends Pick<Scope, "organizationId"> {
  /** Makes each component a button that opens the last event about it. */
  onInspect?: Inspect | undefined;
}

const TONES: Record<string, Tone> = { healthy: "good", degraded: "warning", down: "danger" };

/** The health of each component: its state, and the values before. */
export function SystemHealthMonitor({ organizationId, onInspect }: SystemHealthMonitorProps) {
  const followed = useProjection(health, { organizationId });
  const lost = useStanding(health.type) === "degraded";
  // Of the database itself no row can tell now.
  const told = lost ? followed.value.filter(({ component }) => component !== "database") : followed.value;
  return (
    <Panel
      title="System health"
      followed={followed}
      empty={told.length === 0 && !lost}
      hint="The database, vector search, the LLM API and document processing report here. The whole platform's health is for its staff."
      tools={<Summary of={told} lost={lost} />}
    >
      <div className="rc-body">
        <Rows label="Components" interactive={onInspect !== undefined}>
          {lost && <LostDatabase />}
          {told.map((item) => (
            <HealthRow key={item.key} item={item} onInspect={onInspect} />
          ))}
        </Rows>
      </div>
    </Panel>
  );
}

function Summary({ of: list, lost }: { of: readonly HealthItem[]; lost: boolean }) {
  const ill = list.filter(({ status }) => status !== "healthy").length + Number(lost);
  if (ill === 0) return <span className="rc-summary rc-tone-good">All healthy</span>;
  return (
    <span className="rc-summary rc-tone-danger">
      {ill} of {list.length + Number(lost)} unhealthy
    </span>
  );
}

/** What the server says on the open stream while its database is away. */
function LostDatabase() {
  return (
    <li className="rc-row rc-health rc-tone-danger">
      <div className="rc-row-line">
        <span className="rc-line-head">
          <strong className="rc-ellipsis">{formatName("database")}</strong>
          <Badge tone="danger">Down</Badge>
        </span>
        <span className="rc-advice">
          The server cannot reach it. What was committed comes when it is back.
        </span>
      </div>
    </li>
  );
}

const HealthRow = memo(function HealthRow({
  item,
  onInspect,
}: {
  item: HealthItem;
  onInspect: Inspect | undefined;
}) {
  const { event, component, status, checks, course } = item;
  const [deciding] = checks;
  const tone = TONES[status] ?? "neutral";
  return (
    <Row event={event} className={`rc-health rc-tone-${tone}`} onInspect={onInspect}>
      <span className="rc-line-head">
        <strong className="rc-ellipsis">{formatName(component)}</strong>
        <small className="rc-fixed">{held(item)}</small>
        <Badge tone={tone}>{formatName(status)}</Badge>
      </span>
      {checks.map((check) => (
        <CheckLine key={check.key} check={check} />
      ))}
      <Course of={course} />
      {status !== "healthy" && (deciding.recommendation ?? deciding.message) && (
        <span className="rc-advice">{deciding.recommendation ?? deciding.message}</span>
      )}
    </Row>
  );
});

/** How long it has been so, as far as was seen. */
function held({ course }: HealthItem): string {
  const span = course.at(-1);
  return span && span.to > span.from ? `for ${formatDuration(span.to - span.from)}` : "";
}

function CheckLine({ check: { metric, value, threshold, values } }: { check: Check }) {
  return (
    <span className="rc-check">
      <small className="rc-ellipsis">{formatName(metric)}</small>
      <Sparkline values={values} limit={threshold} />
      <span className="rc-check-value">
        {value === undefined ? "–" : formatDecimal(value)}
        {threshold !== undefined && <small> / {formatDecimal(threshold)}</small>}
      </span>
    </span>
  );
}

const HEIGHTS: Record<string, number> = { healthy: 3, degraded: 7, down: 10 };
const LENGTH = 200;

/** Its states over time, the worse the higher. */
function Course({ of: course }: { of: HealthItem["course"] }) {
  const [first, last] = [course[0], course.at(-1)];
  if (!first || !last || last.to === first.from) return null;
  const scale = LENGTH / (last.to - first.from);
  const changes = course.slice(1).map(({ status, from }) => `${status} at ${formatTime(from)}`);
  return (
    <svg
      className="rc-course"
      viewBox={`0 0 ${LENGTH} 10`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Since ${formatTime(first.from)}: ${[first.status, ...changes.slice(-4)].join(", ")}`}
    >
      {course.map(({ status, from, to }, at) => {
        const height = HEIGHTS[status] ?? 5;
        const end = course[at + 1]?.from ?? to;
        return (
          <rect
            key={from}
            className={`rc-tone-${TONES[status] ?? "neutral"}`}
            x={(from - first.from) * scale}
            y={10 - height}
            width={Math.max(0.5, (end - from) * scale)}
            height={height}
          />
        );
      })}
    </svg>
  );
}
