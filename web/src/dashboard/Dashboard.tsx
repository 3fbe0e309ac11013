// The signed-in page: the components over one stream, the log of every event, and what is known of the connection.

import { useEffect, useState } from "react";
import { SSEDashboard } from "../components/SSEDashboard.js";
import type { RowcastError } from "../errors.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { RowcastProvider } from "../react/RowcastProvider.js";
import { useSSE } from "../react/useSSE.js";
import { ConnectionBar } from "./ConnectionBar.js";
import { EventLog } from "./EventLog.js";
import { Header } from "./Header.js";
import { Inspector } from "./Inspector.js";
import { Notices } from "./Notices.js";
import { userOf } from "./session.js";

interface Props {
  token: string;
  /** Signed out, or turned away for a reason. */
  onLeave: (reason: RowcastError | null) => void;
}

export function Dashboard({ token, onLeave }: Props) {
  return (
    <RowcastProvider token={() => token} maxReconnectAttempts={Number.POSITIVE_INFINITY}>
      <Page token={token} onLeave={onLeave} />
    </RowcastProvider>
  );
}

function Page({ token, onLeave }: Props) {
  const [inspected, inspect] = useState<OutboxEvent | null>(null);
  const [reset, setReset] = useState<ResetReason | null>(null);
  const { connection, events, stats, error, reconnect } = useSSE({ onReset: setReset });

  const turnedAway = error?.kind === "unauthorized" || error?.kind === "forbidden" ? error : null;
  useEffect(() => {
    if (turnedAway) onLeave(turnedAway);
  }, [turnedAway, onLeave]);

  return (
    <>
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
        <SSEDashboard quiet onInspect={inspect} />
        <EventLog
          events={events}
          counts={stats.byType}
          subscriptions={connection.subscriptions}
          onInspect={inspect}
        />
      </main>
      <Inspector event={inspected} onClose={() => inspect(null)} />
    </>
  );
}
