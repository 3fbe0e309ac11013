// What is asked of an open stream: other types, a longer life. Trouble that passes is waited out for as long as it is open.

import { backoff, pause } from "./backoff.js";
import type { Credentials } from "./credentials.js";
import type { Environment } from "./environment.js";
import { toRowcastError } from "./errors.js";
import { ask } from "./transport/request.js";

type Command =
  | { action: "subscribe" | "unsubscribe"; eventTypes: readonly string[]; since?: string | undefined }
  | { action: "renew"; token: string };

/** What is in force now. */
export interface Obeyed {
  eventTypes: string[];
  expiresAt: string;
}

/** The stream that it is about, and who asks. */
export interface Line {
  readonly url: string;
  readonly connectionId: string;
  /** Aborted when it ends. */
  readonly signal: AbortSignal;
  readonly credentials: Credentials;
  readonly environment: Environment;
  onObeyed(obeyed: Obeyed): void;
}

interface Change {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Where those that are added begin. */
  readonly since: string | undefined;
  /** They are in force. */
  onBegun(): void;
}

/**
 * Has other types sent. False when that takes another stream: this one has ended, is not known any more, or has done one
 * half of it and not the other. Throws what the server refuses; then nothing has changed.
 */
export async function change(line: Line, { added, removed, since, onBegun }: Change): Promise<boolean> {
  if (added.length > 0) {
    if (!(await command(line, { action: "subscribe", eventTypes: added, since }))) return false;
    onBegun();
  }
  if (removed.length === 0) return true;
  try {
    return await command(line, { action: "unsubscribe", eventTypes: removed });
  } catch (thrown) {
    if (added.length > 0) return false;
    throw thrown;
  }
}

/** Has the stream live as long as this token; false when it has ended before. Throws what the server refuses. */
export function renew(line: Line, token: string): Promise<boolean> {
  return command(line, { action: "renew", token });
}

async function command(line: Line, what: Command): Promise<boolean> {
  const { url, connectionId, signal, credentials, environment } = line;
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ connectionId, ...what }), signal };
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      const token = what.action === "renew" ? what.token : credentials.token;
      line.onObeyed((await (await ask(url, token, init, environment)).json()) as Obeyed);
      credentials.forgive();
      return true;
    } catch (thrown) {
      const error = toRowcastError(thrown);
      if (signal.aborted || error.code === "connection_not_found") return false;
      if (what.action !== "renew" && error.kind === "unauthorized" && credentials.refuse(error)) {
        await credentials.next();
      } else {
        if (error.final) throw error;
        const delay = Math.max(error.retryAfter ?? 0, backoff(attempt, 1000, environment.random));
        await pause(delay, signal, environment);
      }
    }
  }
  return false;
}
