// Messages as they are written.

import { memo } from "react";
import { formatDuration } from "./format.js";
import { useModel } from "./live.js";
import type { MessageItem } from "./model/messages.js";
import { Panel } from "./parts/Panel.js";
import { Row, Time } from "./parts/Row.js";

/** What viewers without `admin` get in place of a text, by the redactions that rowcast comes with. */
const HIDDEN = "[FILTERED]";

const FROM = { user: "Visitor", bot: "Bot", system: "System" };

export function ConversationMonitor() {
  const messages = useModel((model) => model.messages);
  return (
    <Panel
      title="Conversations"
      type="conversation_activity"
      size="half"
      empty={messages.length === 0}
      hint="What visitors ask and chatbots answer appears here."
    >
      <ul className="rc-list">
        {messages.map((message) => (
          <MessageRow key={message.key} message={message} />
        ))}
      </ul>
    </Panel>
  );
}

const MessageRow = memo(function MessageRow({ message }: { message: MessageItem }) {
  const { event, from, responseTime } = message;
  return (
    <Row event={event} className={`rc-message rc-message-${from}`}>
      <span className="rc-message-head">
        <strong>{FROM[from]}</strong>
        {event.chatbotId && <small className="rc-ellipsis">{event.chatbotId}</small>}
        {responseTime !== undefined && <small>{formatDuration(responseTime)}</small>}
        <Time of={event} />
      </span>
      <Content of={message} />
    </Row>
  );
});

function Content({ of: { content, status, error } }: { of: MessageItem }) {
  if (error)
    return (
      <span className="rc-message-text rc-danger">
        {error === HIDDEN ? "Failed: the reason is hidden from your role" : error}
      </span>
    );
  if (content === HIDDEN) return <span className="rc-message-text rc-muted">Hidden from your role</span>;
  if (content) return <span className="rc-message-text">{content}</span>;
  if (status === "generating") return <span className="rc-message-text rc-typing">Writing</span>;
  return <span className="rc-message-text rc-muted">No content</span>;
}
