// What users do.

import { formatName } from "./format.js";
import { useModel } from "./live.js";
import { Panel } from "./parts/Panel.js";
import { Row, Time } from "./parts/Row.js";

export function UserActivityFeed() {
  const activity = useModel((model) => model.activity);
  return (
    <Panel
      title="Activity"
      type="user_activity"
      size="third"
      empty={activity.length === 0}
      hint="Sign-ins and what users do appear here."
    >
      <ul className="rc-list">
        {activity.map(({ key, event, user, action }) => (
          <Row key={key} event={event} className="rc-activity">
            <span className="rc-avatar" aria-hidden="true">
              {user.replace(/^user_/, "").slice(0, 2)}
            </span>
            <span className="rc-activity-text">
              <strong className="rc-ellipsis">{user}</strong>
              <small className="rc-ellipsis">{formatName(action)}</small>
            </span>
            <Time of={event} />
          </Row>
        ))}
      </ul>
    </Panel>
  );
}
