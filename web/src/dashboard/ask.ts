// A question to the server beside the stream: statistics, explanations. Answered by data, or by a `RowcastError`.

import { browser } from "../environment.js";
import { RowcastError, toRowcastError } from "../errors.js";
import { ask as request } from "../transport/request.js";

export interface Question {
  /** Below `/api/v1/realtime/`. */
  readonly name: string;
  /** Those that are null are left out. */
  readonly parameters?: Readonly<Record<string, string | null>>;
  readonly token: string | null;
  readonly signal: AbortSignal;
}

/** The `data` of the answer, as the server documents it; throws a {@link RowcastError}. */
export async function ask<Data>({ name, parameters = {}, token, signal }: Question): Promise<Data> {
  if (token === null) throw new RowcastError("unauthorized", "there is no token");
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null);
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  try {
    const init = { headers: { accept: "application/json" }, signal };
    const response = await request(`/api/v1/realtime/${name}${query}`, token, init, browser);
    const body: { data?: Data } | null = await response.json().catch(() => null);
    if (body?.data === undefined) throw new RowcastError("protocol", "the answer has no data");
    return body.data;
  } catch (thrown) {
    throw toRowcastError(thrown);
  }
}
