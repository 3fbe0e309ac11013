// The live page: one stream, in figures, in panels, and event by event.

import { useCallback, useId, useMemo, useState, useSyncExternalStore } from "react";
import { SSEDashboard } from "../components/SSEDashboard.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import type { UseConnectionResult } from "../react/useConnection.js";
import { ConnectionBar } from "./connection/ConnectionBar.js";
import { ConnectionPanel } from "./connection/ConnectionPanel.js";
import { useTypes } from "./connection/useTypes.js";
import { Inspector } from "./inspector/Inspector.js";
import { useLag } from "./lag/useLag.js";
import { EventLog, useShown } from "./log/EventLog.js";
import { type Filter, noFilter } from "./log/filter.js";
import { LogStore, receivedOf } from "./log/log.js";

interface Props {
  connection: UseConnectionResult;
  organization: string | null;
  /** When the token ends, in milliseconds of wall time. */
  expiresAt: number | null;
  token: () => string | null;
  onReset: (reason: ResetReason) => void;
}

export function LivePage({ connection, organization, expiresAt, token, onReset }: Props) {
  // Another organization is another log: what came of the others is none of its business.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  const store = useMemo(() => new LogStore(), [organization]);
  const log = useSyncExternalStore(store.subscribe, store.getSnapshot);
  const [filter, setFilter] = useState<Filter>(noFilter);
  const shown = useShown(log, filter);
  const [inspected, inspect] = useState<OutboxEvent | null>(null);
  const onInspect = useCallback((event: OutboxEvent | null) => inspect(event), []);
  const [open, setOpen] = useState(false);
  const panel = useId();

  const { lag, onEvent: onLate } = useLag();
  const types = useTypes(connection.subscriptions, {
    onEvent: (event) => {
      store.push({ event });
      onLate();
    },
    onReset,
  });
  const received = receivedOf(log);
  return (
    <>
      <h1 className="rd-hidden" tabIndex={-1}>
        {organization === null ? "Live events" : `Live events of ${organization}`}
      </h1>
      <div className="rd-stream">
        <ConnectionBar
          connection={connection}
          received={received}
          lag={lag}
          panel={panel}
          open={open}
          onToggle={() => setOpen(!open)}
        />
        {open && (
          <ConnectionPanel
            id={panel}
            connection={connection}
            lag={lag}
            types={types}
            expiresAt={expiresAt}
            onReconnect={() => {
              // Also when it is open: another stream, from where this one is.
              connection.disconnect();
              connection.reconnect();
            }}
            onDisconnect={connection.disconnect}
          />
        )}
      </div>
      <SSEDashboard
        quiet
        organizationId={organization ?? undefined}
        types={types.chosen ?? undefined}
        onInspect={onInspect}
      />
      <EventLog
        store={store}
        log={log}
        filter={filter}
        onFilter={setFilter}
        shown={shown}
        inspected={inspected?.id ?? null}
        onInspect={onInspect}
      />
      <Inspector event={inspected} shown={shown} token={token} onInspect={onInspect} />
    </>
  );
}
