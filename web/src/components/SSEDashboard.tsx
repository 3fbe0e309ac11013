// Everything at once: all components over one stream, under one line that says how the stream is.

import { memo, useState } from "react";
import type { EventType } from "../protocol.js";
import { useConnection } from "../react/useConnection.js";
import { useRowcastEvents } from "../react/useRowcastEvents.js";
import { AlertList } from "./AlertList.js";
import { ConversationMonitor } from "./ConversationMonitor.js";
import { DocumentProcessingMonitor } from "./DocumentProcessingMonitor.js";
import { ErrorFeed } from "./ErrorFeed.js";
import { MetricsMonitor } from "./MetricsMonitor.js";
import { ConnectionNotice, ResetNotice } from "./parts/Notice.js";
import { Off } from "./parts/Off.js";
import { Framed } from "./parts/Panel.js";
import type { Inspect } from "./parts/Row.js";
import { StatusIndicator } from "./StatusIndicator.js";
import { SystemHealthMonitor } from "./SystemHealthMonitor.js";
import { UserActivityFeed } from "./UserActivityFeed.js";
import type { Scope } from "./useProjection.js";
import { useStanding } from "./useStanding.js";

export interface SSEDashboardProps extends Scope {
  /** Opens the event behind what is shown. */
  onInspect?: Inspect | undefined;
  /** Says nothing of the connection, because the app around it does. */
  quiet?: boolean | undefined;
  /** Follows and shows these types alone. Absent: all. */
  types?: readonly string[] | undefined;
}

/** Rendered again only for another scope: the panels follow the stream by themselves. */
export const SSEDashboard = memo(function SSEDashboard(props: SSEDashboardProps) {
  const { organizationId, chatbotId, onInspect, quiet = false, types } = props;
  const has = (type: EventType): boolean => types === undefined || types.includes(type);
  return (
    <div className="rc-root rc-dashboard">
      {!quiet && <StatusLine organizationId={organizationId} chatbotId={chatbotId} />}
      <Framed.Provider value={true}>
        <div className="rc-grid">
          <div className="rc-cell rc-cell-metrics">
            {has("chatbot_metrics") ? (
              <MetricsMonitor organizationId={organizationId} chatbotId={chatbotId} />
            ) : (
              <Off title="Metrics" />
            )}
          </div>
          <div className="rc-cell rc-cell-health">
            {has("system_health") ? (
              <SystemHealthMonitor organizationId={organizationId} onInspect={onInspect} />
            ) : (
              <Off title="System health" />
            )}
          </div>
          <div className="rc-cell rc-cell-documents">
            {has("document_processing") ? (
              <DocumentProcessingMonitor organizationId={organizationId} onInspect={onInspect} />
            ) : (
              <Off title="Documents" />
            )}
          </div>
          <div className="rc-cell rc-cell-conversations">
            {has("conversation_activity") ? (
              <ConversationMonitor
                organizationId={organizationId}
                chatbotId={chatbotId}
                onInspect={onInspect}
              />
            ) : (
              <Off title="Conversations" />
            )}
          </div>
          <div className="rc-cell">
            {has("performance_alert") ? (
              <AlertList organizationId={organizationId} chatbotId={chatbotId} onInspect={onInspect} />
            ) : (
              <Off title="Alerts" />
            )}
          </div>
          <div className="rc-cell">
            {has("error_notification") ? (
              <ErrorFeed organizationId={organizationId} onInspect={onInspect} />
            ) : (
              <Off title="Errors" />
            )}
          </div>
          <div className="rc-cell">
            {has("user_activity") ? (
              <UserActivityFeed organizationId={organizationId} onInspect={onInspect} />
            ) : (
              <Off title="Activity" />
            )}
          </div>
        </div>
      </Framed.Provider>
    </div>
  );
});

/** What the panels subscribe to, so that listening for resets asks for nothing more. */
const TYPES: readonly EventType[] = [
  "document_processing",
  "conversation_activity",
  "system_health",
  "error_notification",
  "chatbot_metrics",
  "user_activity",
  "performance_alert",
];

function StatusLine({ organizationId, chatbotId }: Scope) {
  const [wasReset, setReset] = useState(false);
  const standing = useStanding();
  useRowcastEvents({
    subscriptions: TYPES,
    organizationId,
    onEvent: () => {},
    onReset: () => setReset(true),
  });
  return (
    <div className="rc-status-line">
      <div className="rc-status-facts">
        <Status />
        {organizationId !== undefined && <span className="rc-scope">{organizationId}</span>}
        {chatbotId !== undefined && <span className="rc-scope">{chatbotId}</span>}
      </div>
      <ConnectionNotice standing={standing} />
      {wasReset && <ResetNotice onDismiss={() => setReset(false)} />}
    </div>
  );
}

function Status() {
  const { status, degraded } = useConnection();
  return <StatusIndicator status={status} degraded={degraded} />;
}
