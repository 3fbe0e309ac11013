// Alerts: one entry for each thing that fires or has fired, firing ones first.

import type { EventOf } from "../../protocol.js";
import type { Item } from "./list.js";
import { clearsAway, type Projection } from "./projection.js";
import { number, text, timeOf } from "./read.js";

export interface AlertItem extends Item {
  readonly metric: string;
  readonly value: number | undefined;
  readonly threshold: number | undefined;
  readonly firing: boolean;
  readonly message: string;
  readonly chatbotId: string | undefined;
  /** Since when it is firing, or resolved. Milliseconds of wall time. */
  readonly since: number;
  /** How long it had been firing when it was resolved, in milliseconds; undefined when that was not seen. */
  readonly lasted: number | undefined;
  /** How often it began to fire. */
  readonly fired: number;
}

const MAX = 60;

export const alerts: Projection<"performance_alert", readonly AlertItem[]> = {
  type: "performance_alert",
  empty: [],
  apply(list, event) {
    if (clearsAway(event)) return list;
    const said = read(event);
    const { firing } = said;
    const ended = endedBy(list, said);
    const former = list.find(({ key }) => key === said.key) ?? ended.at(-1) ?? overBefore(list, said);
    const turned = former?.firing !== firing;
    const time = timeOf(event, former?.since);
    const item: AlertItem = {
      ...said,
      since: turned || !former ? time : former.since,
      lasted: !turned ? former?.lasted : former && !firing ? Math.max(0, time - former.since) : undefined,
      fired: (former?.fired ?? 0) + (firing && turned ? 1 : 0),
    };
    const others = list.filter((other) => other !== former && !ended.includes(other));
    const [above, below] = [others.filter((other) => other.firing), others.filter((other) => !other.firing)];
    return (firing ? [item, ...above, ...below] : [...above, item, ...below]).slice(0, MAX);
  },
};

type Said = Omit<AlertItem, "since" | "lasted" | "fired">;

/** What the event says. Its key is that of its row; what has no row is known by what it is about. */
function read(event: EventOf<"performance_alert">): Said {
  const { data } = event;
  const metric = text(data.metric) ?? "metric";
  const chatbotId = text(data.chatbotId) ?? event.chatbotId;
  const about = event.key === undefined ? ["", chatbotId, metric, data.threshold] : ["row", event.key];
  return {
    key: JSON.stringify([event.organizationId, event.source, ...about]),
    event,
    metric,
    value: number(data.value),
    threshold: number(data.threshold),
    firing: data.status !== "resolved",
    message: text(data.message) ?? metric,
    chatbotId,
  };
}

/**
 * What fires and is over with this. A row that is changed speaks of itself: beside it other rules may fire on the same
 * metric. A new one that says resolved is a line in a log, and ends what the lines before it have said.
 */
function endedBy(list: readonly AlertItem[], said: Said): readonly AlertItem[] {
  const known = list.some(({ key, firing }) => firing && key === said.key);
  if (said.firing || said.event.operation === "UPDATE" || known) return [];
  return list.filter((other) => other.firing && isAlike(other, said));
}

/** What has been over for a while and begins anew, or is said to be over once more. */
function overBefore(list: readonly AlertItem[], said: Said): AlertItem | undefined {
  return said.event.operation === "UPDATE"
    ? undefined
    : list.find((other) => !other.firing && isAlike(other, said));
}

/** A threshold that is not said may be any. */
function isAlike(one: Said, other: Said): boolean {
  return (
    one.event.organizationId === other.event.organizationId &&
    one.event.source === other.event.source &&
    one.chatbotId === other.chatbotId &&
    one.metric === other.metric &&
    (one.threshold === undefined || other.threshold === undefined || one.threshold === other.threshold)
  );
}
