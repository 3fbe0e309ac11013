// The conversation feed: one entry a message, which changes while the answer is being written.

import { type Item, place } from "./list.js";
import type { Projection } from "./projection.js";
import { number, text } from "./read.js";

export interface MessageItem extends Item {
  readonly from: "user" | "bot" | "system";
  readonly content: string | undefined;
  readonly status: string;
  /** More of it is to come. */
  readonly writing: boolean;
  readonly error: string | undefined;
  /** Milliseconds. */
  readonly responseTime: number | undefined;
}

/** What viewers without `admin` get in place of a text, by the redactions that rowcast comes with. */
export const HIDDEN = "[FILTERED]";

const MAX = 80;
const FROM: Readonly<Record<string, MessageItem["from"]>> = { user_message: "user", bot_response: "bot" };
const WRITING: ReadonlySet<string> = new Set(["generating", "streaming", "pending", "processing", "started"]);

export const messages: Projection<"conversation_activity", readonly MessageItem[]> = {
  type: "conversation_activity",
  empty: [],
  apply(list, event) {
    const { data } = event;
    const key = text(data.messageId) ?? event.key ?? event.id;
    return place(list, event, key, MAX, (): MessageItem => {
      const status = text(data.status) ?? "completed";
      const error = text(data.error);
      return {
        key,
        event,
        from: FROM[String(data.messageType)] ?? "system",
        content: text(data.content),
        status,
        writing: WRITING.has(status) && error === undefined,
        error,
        responseTime: number(data.responseTime),
      };
    });
  },
};
