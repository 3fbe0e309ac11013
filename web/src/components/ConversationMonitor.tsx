// Messages as they are written, the newest first.

import { memo } from "react";
import { formatDuration } from "./format.js";
import { HIDDEN, type MessageItem, messages } from "./model/messages.js";
import { Panel } from "./parts/Panel.js";
import { Paused } from "./parts/Paused.js";
import { type Inspect, Row, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { useHeld } from "./parts/useHeld.js";
import { type Scope, useProjection } from "./useProjection.js";

export interface ConversationMonitorProps extends Scope {
  /** Makes each message a button that opens the event behind it. */
  onInspect?: Inspect | undefined;
}

const FROM = { user: "Visitor", bot: "Bot", system: "System" };

/** Conversations: their messages as they are written and answered. */
export function ConversationMonitor({ organizationId, chatbotId, onInspect }: ConversationMonitorProps) {
  const followed = useProjection(messages, { organizationId, chatbotId });
  const { shown, isHeld, handlers } = useHeld(followed.value);
  return (
    <Panel
      title="Conversations"
      followed={followed}
      empty={shown.length === 0}
      hint="What visitors ask and chatbots answer appears here."
      tools={<Paused isHeld={isHeld} />}
    >
      <div className="rc-body" {...handlers}>
        <Rows label="Messages, the newest first" interactive={onInspect !== undefined}>
          {shown.map((message) => (
            <MessageRow key={message.key} message={message} onInspect={onInspect} />
          ))}
        </Rows>
      </div>
    </Panel>
  );
}

interface MessageRowProps {
  message: MessageItem;
  onInspect: Inspect | undefined;
}

const MessageRow = memo(function MessageRow({ message, onInspect }: MessageRowProps) {
  const { event, from, responseTime } = message;
  return (
    <Row event={event} className={`rc-message rc-message-${from}`} onInspect={onInspect}>
      <span className="rc-line-head">
        <strong className="rc-message-from">{FROM[from]}</strong>
        {event.chatbotId && <small className="rc-ellipsis">{event.chatbotId}</small>}
        {responseTime !== undefined && <small className="rc-fixed">in {formatDuration(responseTime)}</small>}
        <Time of={event} />
      </span>
      <Content of={message} />
    </Row>
  );
});

function Content({ of: { content, writing, error } }: { of: MessageItem }) {
  if (error)
    return (
      <span className="rc-message-text rc-danger">
        {error === HIDDEN ? "Failed: the reason is hidden from your role" : error}
      </span>
    );
  if (content === HIDDEN) return <span className="rc-message-text rc-veiled">Hidden from your role</span>;
  if (content) return <span className={`rc-message-text ${writing ? "rc-writing" : ""}`}>{content}</span>;
  if (writing) return <span className="rc-message-text rc-muted rc-writing">Writing</span>;
  return <span className="rc-message-text rc-muted">No content</span>;
}
