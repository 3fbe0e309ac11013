// What is over its limit, and what no longer is.

import { formatDecimal, formatName } from "./format.js";
import { useModel } from "./live.js";
import { Badge } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { Row, Time } from "./parts/Row.js";

export function AlertList() {
  const alerts = useModel((model) => model.alerts);
  return (
    <Panel
      title="Alerts"
      type="performance_alert"
      size="third"
      empty={alerts.length === 0}
      hint="All quiet. A metric that passes its limit appears here."
    >
      <ul className="rc-list">
        {alerts.map(({ key, event, metric, value, threshold, firing, message, chatbotId }) => (
          <Row key={key} event={event} className="rc-entry">
            <span className="rc-entry-head">
              <Badge tone={firing ? "danger" : "good"}>{firing ? "Firing" : "Resolved"}</Badge>
              <small className="rc-ellipsis">{chatbotId ?? event.organizationId}</small>
              <Time of={event} />
            </span>
            <span className="rc-entry-text">{message}</span>
            {value !== undefined && threshold !== undefined && (
              <small>
                {formatName(metric)}: {formatDecimal(value)} of {formatDecimal(threshold)}
              </small>
            )}
          </Row>
        ))}
      </ul>
    </Panel>
  );
}
