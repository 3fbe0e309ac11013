// What users do, the last first.

import { type Item, place } from "./list.js";
import type { Projection } from "./projection.js";
import { number, text } from "./read.js";

export interface ActivityItem extends Item {
  readonly user: string;
  readonly action: string;
  readonly session: string | undefined;
}

const MAX = 60;

export const activity: Projection<"user_activity", readonly ActivityItem[]> = {
  type: "user_activity",
  empty: [],
  apply(list, event) {
    const { data } = event;
    const key = event.key ?? event.id;
    return place(
      list,
      event,
      key,
      MAX,
      (): ActivityItem => ({
        key,
        event,
        user: several(data.metadata) ?? text(data.userId) ?? event.userId ?? "somebody",
        action: text(data.action) ?? "did something",
        session: text(data.sessionId) ?? event.sessionId,
      }),
    );
  },
};

/** In a storm rowcast tells of most users as a sum. */
function several(metadata: unknown): string | undefined {
  if (typeof metadata !== "object" || metadata === null || !("others" in metadata)) return undefined;
  const others = number(metadata.others);
  return others === undefined ? undefined : `${others.toLocaleString("en-US")} others`;
}
