// Whose stream it is. Tabs that share one bear its name, so two users, and two servers, never meet.

import { VERSION } from "./news.js";

/** Who a token speaks of; null when it does not say. Nothing is checked: the server does that. */
export function subjectOf(token: string): string | null {
  try {
    const payload = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
    const { iss, sub } = JSON.parse(atob(payload ?? ""));
    return typeof sub === "string" ? JSON.stringify([iss ?? null, sub]) : null;
  } catch {
    return null;
  }
}

/** The name of the lock and the channel of all tabs that share a stream. */
export function sharedName(url: string, base: string, key: string): string {
  return `rowcast/${VERSION} ${new URL(url, base).href} ${key}`;
}
