// Errors: the same one again is counted, not listed twice.

import type { EventOf, OutboxEvent } from "../../protocol.js";
import { append, type Item } from "./list.js";
import { clearsAway, type Projection } from "./projection.js";
import { text, timeOf } from "./read.js";

export interface ErrorItem extends Item {
  readonly component: string;
  readonly severity: string;
  readonly message: string;
  readonly userImpact: string | undefined;
  readonly resolution: string | undefined;
  /** Left out for viewers without `admin`, as is the Sentry id. */
  readonly stackTrace: string | undefined;
  readonly sentryIssueId: string | undefined;
  readonly times: number;
  /** Milliseconds of wall time. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Whom it hit, as far as the events say. */
  readonly organizations: readonly string[];
  /** The last occurrences, newest last. */
  readonly occurrences: readonly OutboxEvent[];
}

const MAX = 60;
const MAX_ORGANIZATIONS = 20;
const MAX_OCCURRENCES = 5;

export const errors: Projection<"error_notification", readonly ErrorItem[]> = {
  type: "error_notification",
  empty: [],
  apply(list, event) {
    if (clearsAway(event)) return list;
    const component = text(event.data.component) ?? "general";
    const message = text(event.data.message) ?? "no message";
    const key = `${component}\n${message}`;
    const former = list.find((item) => item.key === key);
    const item = itemOf(key, component, message, event, former);
    return [item, ...list.filter((other) => other !== former)].slice(0, MAX);
  },
};

function itemOf(
  key: string,
  component: string,
  message: string,
  event: EventOf<"error_notification">,
  former: ErrorItem | undefined,
): ErrorItem {
  const { data, organizationId } = event;
  const time = timeOf(event, former?.lastAt);
  const known = former?.organizations ?? [];
  const hit = organizationId !== undefined && !known.includes(organizationId) ? organizationId : undefined;
  // An update tells more of an occurrence that has been counted: how it was resolved, say.
  const isNew = event.operation !== "UPDATE" || former === undefined;
  return {
    key,
    event,
    component,
    message,
    severity: text(data.severity) ?? "medium",
    userImpact: text(data.userImpact) ?? former?.userImpact,
    resolution: text(data.resolution) ?? former?.resolution,
    stackTrace: text(data.stackTrace) ?? former?.stackTrace,
    sentryIssueId: text(data.sentryIssueId) ?? former?.sentryIssueId,
    times: (former?.times ?? 0) + (isNew ? 1 : 0),
    firstAt: former?.firstAt ?? time,
    lastAt: time,
    organizations: append(known, hit, MAX_ORGANIZATIONS),
    occurrences: append(former?.occurrences ?? [], isNew ? event : undefined, MAX_OCCURRENCES),
  };
}
