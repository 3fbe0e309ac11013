// A hook that keeps events, a hook that only calls back, and components of the package.

import { DocumentProcessingMonitor, StatusIndicator } from "@rowcast/client/components";
import { useConversationEvents, useRowcastEvents } from "@rowcast/client/react";
import { useState } from "react";

export function App() {
  const { status, events, stats } = useConversationEvents();
  return (
    <main>
      <h1>
        Support <StatusIndicator status={status} />
      </h1>
      <p>
        {stats.received} messages since this page was opened. Documents that failed: <Failures />
      </p>
      <ul aria-label="Messages">
        {events.slice(-5).map(({ id, data }) => (
          <li key={id}>
            {data.messageType}: {data.content ?? data.status}
          </li>
        ))}
      </ul>
      <DocumentProcessingMonitor />
    </main>
  );
}

/** Renders when a document fails, not for each of the events that say how far one is. */
function Failures() {
  const [failures, setFailures] = useState(0);
  useRowcastEvents({
    subscriptions: ["document_processing"],
    filter: ({ data }) => data.stage === "failed",
    onEvent: () => setFailures((count) => count + 1),
  });
  return <span>{failures}</span>;
}
