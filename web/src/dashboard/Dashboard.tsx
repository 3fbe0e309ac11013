// The signed-in page: one stream, folded into what the panels show.

import { useEffect, useMemo, useState } from "react";
import { AlertList } from "../components/AlertList.js";
import { ConversationMonitor } from "../components/ConversationMonitor.js";
import { DocumentProcessingMonitor } from "../components/DocumentProcessingMonitor.js";
import { ErrorFeed } from "../components/ErrorFeed.js";
import { type Live, LiveContext, type Tally, TallyContext } from "../components/live.js";
import { MetricsMonitor } from "../components/MetricsMonitor.js";
import { createModel } from "../components/model/model.js";
import { SystemHealthMonitor } from "../components/SystemHealthMonitor.js";
import { UserActivityFeed } from "../components/UserActivityFeed.js";
import type { RowcastError } from "../errors.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { useSSE } from "../react/useSSE.js";
import { ConnectionBar } from "./ConnectionBar.js";
import { EventLog } from "./EventLog.js";
import { Header } from "./Header.js";
import { Inspector } from "./Inspector.js";
import { Notices } from "./Notices.js";
import { userOf } from "./session.js";

/** Made once: the panels follow the model by themselves, and what changes here with every event passes them by. */
const PANELS = (
  <>
    <DocumentProcessingMonitor />
    <ConversationMonitor />
    <MetricsMonitor />
    <SystemHealthMonitor />
    <AlertList />
    <ErrorFeed />
    <UserActivityFeed />
  </>
);

interface Props {
  token: string;
  /** Signed out, or turned away for a reason. */
  onLeave: (reason: RowcastError | null) => void;
}

export function Dashboard({ token, onLeave }: Props) {
  const [model] = useState(createModel);
  const [inspected, inspect] = useState<OutboxEvent | null>(null);
  const [reset, setReset] = useState<ResetReason | null>(null);
  const { connection, events, stats, error, reconnect } = useSSE({
    onEvent: (event) => model.push(event),
    onReset: (reason) => {
      model.push("reset");
      setReset(reason);
    },
  });

  const turnedAway = error?.kind === "unauthorized" || error?.kind === "forbidden" ? error : null;
  useEffect(() => {
    if (turnedAway) onLeave(turnedAway);
  }, [turnedAway, onLeave]);

  const { subscriptions } = connection;
  const { byType } = stats;
  const live: Live = useMemo(() => ({ model, inspect }), [model]);
  const tally: Tally = useMemo(() => ({ subscriptions, counts: byType }), [subscriptions, byType]);

  return (
    <LiveContext value={live}>
      <div className="rc-top">
        <Header connection={connection} user={userOf(token)} onSignOut={() => onLeave(null)} />
        <Notices
          connection={connection}
          reset={reset}
          onSeen={() => setReset(null)}
          onReconnect={reconnect}
        />
      </div>
      <main className="rc-main">
        <ConnectionBar connection={connection} received={stats.received} />
        <TallyContext value={tally}>
          <div className="rc-grid">
            {PANELS}
            <EventLog events={events} />
          </div>
        </TallyContext>
      </main>
      <Inspector event={inspected} onClose={() => inspect(null)} />
    </LiveContext>
  );
}
