// What a tab needs of the browser to know of other tabs, so that tests can be the browser.

import type { Message } from "./news.js";

/** What is needed of a BroadcastChannel. */
export interface Channel {
  /** To all other tabs, never to this one. */
  post(message: Message): void;
  close(): void;
}

/** The part of `LockManager` that is used. */
export interface Locks {
  request(
    name: string,
    options: { steal?: boolean; signal?: AbortSignal },
    whileHeld: () => Promise<void>,
  ): Promise<void>;
  query(): Promise<{ held?: { name?: string }[] }>;
}

/** What tabs need of the browser to find each other. */
export interface TabsEnvironment {
  readonly locks: Locks;
  /** The page's address, by which the stream's is resolved. */
  readonly base: string;
  channel(name: string, onMessage: (message: Message) => void): Channel;
  /** Somebody looks at this page. */
  isVisible(): boolean;
  /** Calls back when the page is put away or frozen, and when it is there again; returns what ends it. */
  onSuspend(suspend: () => void, resume: () => void): () => void;
  /** A name that nobody else has. */
  newId(): string;
}

/** The browser's own; null where it lacks something, as on pages that are not served securely. */
export function browserTabs(): TabsEnvironment | null {
  if (typeof document === "undefined" || typeof BroadcastChannel === "undefined") return null;
  // Absent on insecure pages, whatever the declaration says.
  const { locks } = navigator as { locks?: Locks };
  if (!locks) return null;
  return {
    locks,
    base: location.href,
    channel(name, onMessage) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => onMessage(data as Message);
      return { post: (message) => channel.postMessage(message), close: () => channel.close() };
    },
    isVisible: () => document.visibilityState === "visible",
    onSuspend(suspend, resume) {
      const listening = new AbortController();
      const { signal } = listening;
      window.addEventListener("pagehide", suspend, { signal });
      window.addEventListener("pageshow", ({ persisted }) => persisted && resume(), { signal });
      document.addEventListener("freeze", suspend, { signal });
      document.addEventListener("resume", resume, { signal });
      return () => listening.abort();
    },
    newId: () => crypto.randomUUID(),
  };
}
