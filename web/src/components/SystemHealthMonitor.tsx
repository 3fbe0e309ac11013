// Every component's health, with the course of its last values.

import { formatDecimal, formatName } from "./format.js";
import { useModel } from "./live.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { Row } from "./parts/Row.js";
import { Sparkline } from "./parts/Sparkline.js";

const TONES: Record<string, Tone> = { healthy: "good", degraded: "warning", down: "danger" };

export function SystemHealthMonitor() {
  const components = useModel((model) => model.health);
  return (
    <Panel
      title="System health"
      type="system_health"
      size="half"
      empty={components.length === 0}
      hint="The database, vector search, the LLM API and document processing report here."
    >
      <ul className="rc-list">
        {components.map(
          ({ key, event, component, status, metric, value, threshold, history, recommendation }) => (
            <Row key={key} event={event} className={`rc-health rc-health-${status}`}>
              <span className="rc-health-name">
                {formatName(component)}
                <small className="rc-ellipsis">
                  {status === "healthy" ? formatName(metric) : (recommendation ?? formatName(metric))}
                </small>
              </span>
              <Sparkline values={history} />
              <span className="rc-health-value">
                {value !== undefined && formatDecimal(value)}
                {threshold !== undefined && <small>limit {formatDecimal(threshold)}</small>}
              </span>
              <Badge tone={TONES[status] ?? "neutral"}>{formatName(status)}</Badge>
            </Row>
          ),
        )}
      </ul>
    </Panel>
  );
}
