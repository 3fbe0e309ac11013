// What is asked for, as URLs and headers: the same for every way by which events come.

import type { Environment } from "../environment.js";
import { load } from "../load.js";

export interface Request {
  /** Where the stream is. */
  url: string;
  subscriptions: readonly string[] | undefined;
  organizationId: string | undefined;
  /** Absent: a cookie says who asks. */
  token: string | undefined;
  /** Empty: begin at the head. */
  cursor: string;
}

/** The URL of the stream, or of what lies beside it on the same server, with what is asked for. */
export function urlOf(
  request: Request,
  beside?: "events" | "ticket",
  more: Record<string, string> = {},
): string {
  const url = beside ? request.url.replace(/[^/?]*(?=\?|$)/, beside) : request.url;
  const query = new URLSearchParams(more);
  const { subscriptions, organizationId } = request;
  if (beside !== "ticket") {
    if (subscriptions) query.set("subscriptions", subscriptions.join(","));
    if (organizationId !== undefined) query.set("organizationId", organizationId);
  }
  const text = query.toString();
  return text === "" ? url : `${url}${url.includes("?") ? "&" : "?"}${text}`;
}

/** Asks, and returns the answer if it is 200; throws what else it means. */
export async function ask(
  url: string,
  token: string | undefined,
  init: RequestInit & { headers?: Record<string, string> },
  environment: Environment,
): Promise<Response> {
  const headers = { ...init.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const response = await environment.fetch(url, {
    cache: "no-store",
    credentials: "same-origin",
    ...init,
    headers,
  });
  if (response.status !== 200) {
    const { refusal } = await load(import("./refusal.js"));
    throw await refusal(response, token, environment.now());
  }
  return response;
}
