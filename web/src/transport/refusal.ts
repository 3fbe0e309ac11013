// What every answer but the right one means, whatever was asked for.

import { parseRetryAfter } from "../backoff.js";
import { type ErrorKind, RowcastError } from "../errors.js";
import type { ErrorBody } from "../protocol.js";

export async function refusal(response: Response, now: number): Promise<RowcastError> {
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
