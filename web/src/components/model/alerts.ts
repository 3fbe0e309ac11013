// Alerts: one entry for each metric that is watched, firing ones first.

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
    const { data } = event;
    const metric = text(data.metric) ?? "metric";
    const chatbotId = text(data.chatbotId) ?? event.chatbotId;
    const key = `${event.organizationId ?? ""}\n${chatbotId ?? ""}\n${metric}`;
    const former = list.find((other) => other.key === key);
    const firing = data.status !== "resolved";
    const turned = former?.firing !== firing;
    const time = timeOf(event, former?.since);
    const item: AlertItem = {
      key,
      event,
      metric,
      value: number(data.value),
      threshold: number(data.threshold),
      firing,
      message: text(data.message) ?? metric,
      chatbotId,
      since: turned || !former ? time : former.since,
      lasted: !turned ? former?.lasted : former && !firing ? Math.max(0, time - former.since) : undefined,
      fired: (former?.fired ?? 0) + (firing && turned ? 1 : 0),
    };
    const others = list.filter((other) => other !== former);
    const [above, below] = [others.filter((other) => other.firing), others.filter((other) => !other.firing)];
    return (firing ? [item, ...above, ...below] : [...above, item, ...below]).slice(0, MAX);
  },
};
