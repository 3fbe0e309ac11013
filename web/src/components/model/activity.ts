// What users do.

import type { EventOf } from "../../protocol.js";
import { type Item, place } from "./list.js";
import { text } from "./read.js";

export interface ActivityItem extends Item {
  readonly user: string;
  readonly action: string;
}

const MAX = 40;

export function foldActivity(list: readonly ActivityItem[], event: EventOf<"user_activity">) {
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
      user: text(data.userId) ?? event.userId ?? "somebody",
      action: text(data.action) ?? "did something",
    }),
  );
}
