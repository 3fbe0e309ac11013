// Errors, the last one first.

import { formatName } from "./format.js";
import { useModel } from "./live.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { Row, Time } from "./parts/Row.js";

const TONES: Record<string, Tone> = { low: "neutral", medium: "warning", high: "danger", critical: "danger" };

export function ErrorFeed() {
  const errors = useModel((model) => model.errors);
  return (
    <Panel
      title="Errors"
      type="error_notification"
      size="third"
      empty={errors.length === 0}
      hint="No errors so far. They would appear here, with how often they came."
    >
      <ul className="rc-list">
        {errors.map(({ key, event, component, severity, message, userImpact, times }) => (
          <Row key={key} event={event} className="rc-entry">
            <span className="rc-entry-head">
              <Badge tone={TONES[severity] ?? "warning"}>{formatName(severity)}</Badge>
              <small className="rc-ellipsis">{formatName(component)}</small>
              {times > 1 && <small>{times} times</small>}
              <Time of={event} />
            </span>
            <span className="rc-entry-text">{message}</span>
            {userImpact && userImpact !== "none" && <small>{formatName(userImpact)} impact on users</small>}
          </Row>
        ))}
      </ul>
    </Panel>
  );
}
