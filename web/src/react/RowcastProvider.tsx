// The page's one connection, for all hooks below.

import { type ReactNode, useMemo } from "react";
import type { ConnectOptions } from "../connection.js";
import { createHub } from "../hub/hub.js";
import { connectTabs } from "../tabs/index.js";
import { logToConsole, PageContext, type Persistence } from "./page.js";
import { useLatest } from "./stable.js";

/** What {@link RowcastProvider} takes. */
export interface RowcastProviderProps extends Persistence, Pick<ConnectOptions, "token" | "url" | "storage"> {
  children?: ReactNode;
  /** What hooks cover that do not say it themselves. Absent: every organization of the user. */
  organizationId?: string | undefined;
  /**
   * Share the stream with the other tabs of this user. True: where the token says who that is. With the cookie, which
   * pages cannot read, give a text that changes with the user.
   */
  tabs?: boolean | string | undefined;
  /** Says on the console why streams end. False. */
  debug?: boolean | undefined;
}

/**
 * Makes one connection, which is opened when the first hook below is mounted and closed when the last is gone. `token` and `storage`
 * may change at any time: the next request goes by them. For another user give it another `key`, so that nothing of the one before is left.
 */
export function RowcastProvider(props: RowcastProviderProps) {
  const {
    children,
    url,
    organizationId,
    tabs = true,
    autoReconnect,
    reconnectDelay,
    maxReconnectAttempts,
  } = props;
  const latest = useLatest(props);
  // A key, undefined for the one in the token, or false.
  const key = tabs === true ? undefined : tabs;
  const hasToken = props.token !== undefined;
  const hasStorage = props.storage !== undefined;
  const hub = useMemo(
    () =>
      createHub({
        connect:
          key === false ? undefined : (options, ...rest) => connectTabs({ ...options, tabs: key }, ...rest),
        url,
        token: hasToken ? (request) => latest.current.token?.(request) ?? null : undefined,
        storage: hasStorage
          ? {
              read: () => latest.current.storage?.read() ?? null,
              write: (cursor) => latest.current.storage?.write(cursor),
            }
          : undefined,
        get debug() {
          return latest.current.debug ? logToConsole : undefined;
        },
      }),
    [url, key, hasToken, hasStorage, latest],
  );
  const page = useMemo(
    () => ({ hub, organizationId, persistence: { autoReconnect, reconnectDelay, maxReconnectAttempts } }),
    [hub, organizationId, autoReconnect, reconnectDelay, maxReconnectAttempts],
  );
  return <PageContext.Provider value={page}>{children}</PageContext.Provider>;
}
