// The conversation feed: one entry a message, which changes while the answer is being generated.

import type { EventOf } from "../../protocol.js";
import { type Item, place } from "./list.js";
import { number, text } from "./read.js";

export interface MessageItem extends Item {
  readonly from: "user" | "bot" | "system";
  readonly content: string | undefined;
  readonly status: string;
  readonly error: string | undefined;
  /** Milliseconds. */
  readonly responseTime: number | undefined;
}

const MAX = 60;
const FROM = { user_message: "user", bot_response: "bot", system_message: "system" } as const;

export function foldMessage(list: readonly MessageItem[], event: EventOf<"conversation_activity">) {
  const { data } = event;
  const key = text(data.messageId) ?? event.key ?? event.id;
  return place(
    list,
    event,
    key,
    MAX,
    (): MessageItem => ({
      key,
      event,
      from: FROM[data.messageType] ?? "system",
      content: text(data.content),
      status: text(data.status) ?? "completed",
      error: text(data.error),
      responseTime: number(data.responseTime),
    }),
  );
}
