// A question to the server beside the stream: statistics, explanations. Answered by data, or by a `RowcastError`.

import { RowcastError, toRowcastError } from "../errors.js";
import { refusal } from "../request.js";

export interface Question {
  /** Below `/api/v1/realtime/`. */
  readonly name: string;
  /** Those that are null are left out. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  readonly token: string | null;
  readonly signal: AbortSignal;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The `data` of the answer, as the server documents it; throws a {@link RowcastError}. */
export async function ask<Data>(
  question: Question,
  fetch: Fetch = globalThis.fetch.bind(globalThis),
): Promise<Data> {
  const { name, parameters = {}, token, signal } = question;
  if (token === null) throw new RowcastError("unauthorized", "there is no token");
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null);
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  try {
    const headers = { accept: "application/json", authorization: `Bearer ${token}` };
    const response = await fetch(`/api/v1/realtime/${name}${query}`, { headers, signal, cache: "no-store" });
    if (response.status !== 200) throw await refusal(response, Date.now());
    const body: { data?: Data } | null = await response.json().catch(() => null);
    if (body?.data === undefined) throw new RowcastError("protocol", "the answer has no data");
    return body.data;
  } catch (thrown) {
    throw toRowcastError(thrown);
  }
}
