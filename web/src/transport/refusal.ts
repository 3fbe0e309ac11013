// What every answer but the right one means, whatever was asked for.

import { LONGEST } from "../backoff.js";
import { type ErrorKind, RowcastError } from "../errors.js";
import type { ErrorBody } from "../protocol.js";

/** `token` is what it was asked with. */
export async function refusal(
  response: Response,
  token: string | undefined,
  now: number,
): Promise<RowcastError> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
  const kind = kindOf(response.status);
  const message = body?.error?.message ?? `the server answered ${response.status}`;
  const isCookie = kind === "unauthorized" && token === undefined;
  const advice = isCookie ? ": sign in for a new cookie, or give the connection a token" : "";
  const code = body?.error?.code;
  const retryAfter = parseRetryAfter(response.headers.get("retry-after"), now);
  return new RowcastError(kind, message + advice, { code, retryAfter });
}

function kindOf(status: number): ErrorKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "limited";
  if (status >= 500 || status === 408 || status === 425) return "unavailable";
  return status >= 400 ? "refused" : "protocol";
}

/** `Retry-After` in milliseconds from now: seconds or a date. */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const wait = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST);
}
