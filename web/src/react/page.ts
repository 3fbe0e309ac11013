// What all hooks of a page share: one hub, and what they go by unless they say otherwise.

import { createContext, useContext } from "react";
import type { ConnectOptions } from "../connection.js";
import { createHub, type Hub } from "../hub/hub.js";
import { connectTabs } from "../tabs/index.js";

/** How the connection comes back. Taken when it is opened. */
export interface Persistence {
  /** Come back when the stream ends. True. */
  readonly autoReconnect?: boolean | undefined;
  /** Milliseconds that the back-off starts from, until the server says `retry:`. 1000. */
  readonly reconnectDelay?: number | undefined;
  /** Attempts in a row before the status is `error`. 10. */
  readonly maxReconnectAttempts?: number | undefined;
}

export interface Page {
  readonly hub: Hub;
  readonly organizationId: string | undefined;
  readonly persistence: Persistence;
}

export const PageContext = createContext<Page | null>(null);

let shared: Page | undefined;

/** The nearest provider's; outside of any, one for the whole page, where the server's cookie signs in. */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (page) return page;
  shared ??= { hub: createHub({ connect: connectTabs }), organizationId: undefined, persistence: {} };
  return shared;
}

/** What one hook asks of the connection: what it says, else what the page says, else the defaults. */
export function persistenceOf(
  hook: Persistence,
  { persistence: page }: Page,
): Pick<ConnectOptions, "reconnectDelay" | "maxReconnectAttempts"> {
  const { autoReconnect = page.autoReconnect ?? true } = hook;
  const { reconnectDelay = page.reconnectDelay ?? 1000 } = hook;
  const { maxReconnectAttempts = page.maxReconnectAttempts ?? 10 } = hook;
  return { reconnectDelay, maxReconnectAttempts: autoReconnect ? maxReconnectAttempts : 0 };
}

export function logToConsole(message: string, detail?: unknown): void {
  // biome-ignore lint/suspicious/noConsole: this is what `debug` asks for.
  console.debug(`rowcast: ${message}`, detail);
}
