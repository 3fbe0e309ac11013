// What users do, the last first.

import { memo } from "react";
import { formatName } from "./format.js";
import { type ActivityItem, activity } from "./model/activity.js";
import { Panel } from "./parts/Panel.js";
import { Paused } from "./parts/Paused.js";
import { type Inspect, Row, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { useHeld } from "./parts/useHeld.js";
import { type Scope, useProjection } from "./useProjection.js";

/** What {@link UserActivityFeed} takes. */
export interface UserActivityFeedProps extends Pick<Scope, "organizationId"> {
  /** Makes each line a button that opens the event behind it. */
  onInspect?: Inspect | undefined;
}

/** What users did, newest first. */
export function UserActivityFeed({ organizationId, onInspect }: UserActivityFeedProps) {
  const followed = useProjection(activity, { organizationId });
  const { shown, isHeld, handlers } = useHeld(followed.value);
  return (
    <Panel
      title="Activity"
      followed={followed}
      empty={shown.length === 0}
      hint="Sign-ins and what users do appear here."
      tools={<Paused isHeld={isHeld} />}
    >
      <div className="rc-body" {...handlers}>
        <Rows label="What users do, the last first" interactive={onInspect !== undefined}>
          {shown.map((item) => (
            <ActivityRow key={item.key} item={item} onInspect={onInspect} />
          ))}
        </Rows>
      </div>
    </Panel>
  );
}

const ActivityRow = memo(function ActivityRow({
  item: { event, user, action },
  onInspect,
}: {
  item: ActivityItem;
  onInspect: Inspect | undefined;
}) {
  return (
    <Row event={event} className="rc-activity" onInspect={onInspect}>
      <span className="rc-avatar" aria-hidden="true">
        {user.replace(/^user_/, "").slice(0, 2)}
      </span>
      <span className="rc-activity-text">
        <strong className="rc-ellipsis">{user}</strong>
        <small className="rc-ellipsis">{formatName(action)}</small>
      </span>
      <Time of={event} />
    </Row>
  );
});
