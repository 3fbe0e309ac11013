// One request for the stream: its URL, its headers, and what every answer but the right one means.

import { parseRetryAfter } from "./backoff.js";
import type { Environment } from "./environment.js";
import { type ErrorKind, RowcastError } from "./errors.js";
import type { ErrorBody } from "./protocol.js";

export interface StreamRequest {
  url: string;
  subscriptions: readonly string[] | undefined;
  organizationId: string | undefined;
  /** Absent: a cookie says who asks. */
  token: string | undefined;
  /** Empty: begin at the head. */
  cursor: string;
  signal: AbortSignal;
}

/** Opens the stream and returns its bytes; throws a {@link RowcastError} for anything but an event stream. */
export async function openStream(
  request: StreamRequest,
  environment: Environment,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (request.token !== undefined) headers.authorization = `Bearer ${request.token}`;
  if (request.cursor !== "") headers["last-event-id"] = request.cursor;
  const response = await environment.fetch(streamUrl(request), {
    headers,
    signal: request.signal,
    cache: "no-store",
    credentials: "same-origin",
  });
  if (response.status !== 200) throw await refusal(response, environment.now());
  // A captive portal, or a proxy that answers for a server that is away.
  if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
    await response.body?.cancel();
    throw new RowcastError("protocol", "the answer is not an event stream");
  }
  return response.body.getReader();
}

function streamUrl({ url, subscriptions, organizationId }: StreamRequest): string {
  const query = new URLSearchParams();
  if (subscriptions) query.set("subscriptions", subscriptions.join(","));
  if (organizationId !== undefined) query.set("organizationId", organizationId);
  if (query.size === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

async function refusal(response: Response, now: number): Promise<RowcastError> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
  const code = body?.error?.code;
  const retryAfter = parseRetryAfter(response.headers.get("retry-after"), now);
  return new RowcastError(
    kindOf(response.status),
    body?.error?.message ?? `the server answered ${response.status}`,
    {
      ...(code !== undefined && { code }),
      ...(retryAfter !== undefined && { retryAfter }),
    },
  );
}

function kindOf(status: number): ErrorKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "limited";
  if (status >= 500 || status === 408 || status === 425) return "unavailable";
  return status >= 400 ? "refused" : "protocol";
}
