// The signed-in page: one stream, folded into what the panels show.

import { useEffect, useMemo, useState } from "react";
import type { RowcastError } from "../errors.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { useSSE } from "../react/useSSE.js";
import { ConnectionBar } from "./ConnectionBar.js";
import { Header } from "./Header.js";
import { Inspector } from "./Inspector.js";
import { type Live, LiveContext, type Tally, TallyContext } from "./live.js";
import { createModel } from "./model/model.js";
import { Notices } from "./Notices.js";
import { ActivityPanel } from "./panels/ActivityPanel.js";
import { AlertsPanel } from "./panels/AlertsPanel.js";
import { ConversationsPanel } from "./panels/ConversationsPanel.js";
import { DocumentsPanel } from "./panels/DocumentsPanel.js";
import { ErrorsPanel } from "./panels/ErrorsPanel.js";
import { EventLog } from "./panels/EventLog.js";
import { HealthPanel } from "./panels/HealthPanel.js";
import { MetricsPanel } from "./panels/MetricsPanel.js";
import { userOf } from "./session.js";

/** Made once: the panels follow the model by themselves, and what changes here with every event passes them by. */
const PANELS = (
  <>
    <DocumentsPanel />
    <ConversationsPanel />
    <MetricsPanel />
    <HealthPanel />
    <AlertsPanel />
    <ErrorsPanel />
    <ActivityPanel />
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
    token: () => token,
    maxReconnectAttempts: Number.POSITIVE_INFINITY,
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
