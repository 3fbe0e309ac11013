// The page's one connection, for all hooks below.

import { type ReactNode, useMemo } from "react";
import type { ConnectOptions } from "../connection.js";
import { createHub } from "../hub.js";
import { logToConsole, PageContext, type Patience } from "./page.js";
import { useLatest } from "./stable.js";

export interface RowcastProviderProps extends Patience, Pick<ConnectOptions, "token" | "url" | "storage"> {
  children?: ReactNode;
  /** What hooks cover that do not say it themselves. Absent: every organization of the user. */
  organizationId?: string | undefined;
  /** Share the stream with the other tabs of this user. True. */
  tabs?: boolean | undefined;
  /** Says on the console why streams end. False. */
  debug?: boolean | undefined;
}

/**
 * Makes one connection, which is opened when the first hook below is mounted and closed when the last is gone. `token` and `storage`
 * may change at any time: the next request goes by them. For another user give it another `key`, so that nothing of the one before is left.
 */
export function RowcastProvider(props: RowcastProviderProps) {
  const { children, url, organizationId, autoReconnect, reconnectDelay, maxReconnectAttempts } = props;
  const latest = useLatest(props);
  const hasToken = props.token !== undefined;
  const hasStorage = props.storage !== undefined;
  const hub = useMemo(
    () =>
      createHub({
        url,
        token: hasToken ? (request) => latest.current.token?.(request) ?? null : undefined,
        storage: hasStorage
          ? {
              read: () => latest.current.storage?.read() ?? null,
              write: (cursor) => latest.current.storage?.write(cursor),
            }
          : undefined,
        debug: (message, detail) => {
          if (latest.current.debug) logToConsole(message, detail);
        },
      }),
    [url, hasToken, hasStorage, latest],
  );
  const page = useMemo(
    () => ({ hub, organizationId, patience: { autoReconnect, reconnectDelay, maxReconnectAttempts } }),
    [hub, organizationId, autoReconnect, reconnectDelay, maxReconnectAttempts],
  );
  return <PageContext.Provider value={page}>{children}</PageContext.Provider>;
}
