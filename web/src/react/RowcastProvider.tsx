// The page's one connection, for all hooks below it.

import { createContext, type ReactNode, useContext, useInsertionEffect, useMemo, useRef } from "react";
import type { TokenSource } from "../connection.js";
import { createHub, type Hub } from "../hub.js";

export interface RowcastProviderProps {
  children?: ReactNode;
  /** May change at any time. Absent: the server's cookie signs in. */
  token?: TokenSource | undefined;
  /** Where the stream is: `/api/v1/realtime/sse` unless another server has it. */
  url?: string | undefined;
  /** What hooks cover that do not say it themselves. Absent: every organization of the user. */
  organizationId?: string | undefined;
  /** One connection for all tabs. True. */
  tabs?: boolean | undefined;
  /** Come back when the stream ends. True. */
  autoReconnect?: boolean | undefined;
  /** Milliseconds that the back-off starts from. 1000. */
  reconnectDelay?: number | undefined;
  /** Attempts in a row before the status is `error`. 10. */
  maxReconnectAttempts?: number | undefined;
  /** Says on the console why streams end. */
  debug?: boolean | undefined;
}

interface Page {
  readonly hub: Hub;
  readonly organizationId: string | undefined;
}

const PageContext = createContext<Page | null>(null);

export function RowcastProvider(props: RowcastProviderProps) {
  const { children, url, organizationId, reconnectDelay, debug = false, autoReconnect = true } = props;
  const maxReconnectAttempts = autoReconnect ? (props.maxReconnectAttempts ?? 10) : 0;
  const token = useRef(props.token);
  useInsertionEffect(() => {
    token.current = props.token;
  });
  const hub = useMemo(
    () =>
      createHub({
        token: (request) => token.current?.(request) ?? null,
        url,
        reconnectDelay,
        maxReconnectAttempts,
        debug: debug ? logToConsole : undefined,
      }),
    [url, reconnectDelay, maxReconnectAttempts, debug],
  );
  const page = useMemo(() => ({ hub, organizationId }), [hub, organizationId]);
  return <PageContext.Provider value={page}>{children}</PageContext.Provider>;
}

let fallback: Page | undefined;

/** The nearest provider's connection; outside of any, one that all of the page share. */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (page) return page;
  fallback ??= { hub: createHub({ token: () => null, maxReconnectAttempts: 10 }), organizationId: undefined };
  return fallback;
}

function logToConsole(message: string, detail?: unknown): void {
  // biome-ignore lint/suspicious/noConsole: this is what `debug` asks for.
  console.debug(`rowcast: ${message}`, detail);
}
