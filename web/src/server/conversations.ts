// Messages of conversations.

import type { ConversationActivity } from "../protocol.js";
import type { QueryClient } from "./client.js";
import type { EmitOptions } from "./emit.js";
import { checkNumber, checkOneOf, checkText, InvalidEventError, present } from "./input.js";
import { Producer } from "./producer.js";

/** What a message may say besides. */
export interface ConversationOptions extends Pick<EmitOptions, "priority" | "userId"> {
  metadata?: Record<string, unknown> | undefined;
}

type MessageType = ConversationActivity["messageType"];

const MESSAGE_TYPES = [
  "user_message",
  "bot_response",
  "system_message",
] as const satisfies readonly MessageType[];

/**
 * `conversation_activity` events, with priority `low` while all is well. Every method returns the id of the event in the
 * outbox. `content` and `error` are `[FILTERED]` for viewers without `admin`.
 */
export class ConversationProducer extends Producer {
  override using(client: QueryClient): ConversationProducer {
    return new ConversationProducer(() => client);
  }

  /** Somebody wrote. Status `completed`. */
  async notifyUserMessage(
    messageId: string,
    sessionId: string,
    chatbotId: string,
    organizationId: string,
    content: string,
    options: ConversationOptions = {},
  ): Promise<string> {
    checkContent(content);
    return this.#announce(messageId, sessionId, chatbotId, organizationId, options, {
      messageType: "user_message",
      status: "completed",
      content,
    });
  }

  /** The chatbot began to answer. Status `generating`; the same `messageId` completes it. */
  async notifyBotResponseStarted(
    messageId: string,
    sessionId: string,
    chatbotId: string,
    organizationId: string,
    options: ConversationOptions = {},
  ): Promise<string> {
    return this.#announce(messageId, sessionId, chatbotId, organizationId, options, {
      messageType: "bot_response",
      status: "generating",
    });
  }

  /** The chatbot has answered. Status `completed`; `responseTime` in milliseconds. */
  async notifyBotResponseCompleted(
    messageId: string,
    sessionId: string,
    chatbotId: string,
    organizationId: string,
    content: string,
    responseTime: number,
    options: ConversationOptions = {},
  ): Promise<string> {
    checkContent(content);
    checkNumber("responseTime", responseTime, 0);
    return this.#announce(messageId, sessionId, chatbotId, organizationId, options, {
      messageType: "bot_response",
      status: "completed",
      content,
      responseTime,
    });
  }

  /** A message came to nothing: the chatbot's, unless `messageType` says otherwise. Status `failed`, priority `high`. */
  async notifyConversationError(
    messageId: string,
    sessionId: string,
    chatbotId: string,
    organizationId: string,
    error: string,
    { messageType = "bot_response", ...options }: ConversationOptions & { messageType?: MessageType } = {},
  ): Promise<string> {
    const { priority = "high" } = options;
    checkText("error", error);
    checkOneOf("messageType", messageType, MESSAGE_TYPES);
    return this.#announce(
      messageId,
      sessionId,
      chatbotId,
      organizationId,
      { ...options, priority },
      {
        messageType,
        status: "failed",
        error,
      },
    );
  }

  #announce(
    messageId: string,
    sessionId: string,
    chatbotId: string,
    organizationId: string,
    { metadata, priority = "low", userId }: ConversationOptions,
    message: Omit<ConversationActivity, "messageId" | "metadata">,
  ): Promise<string> {
    checkText("messageId", messageId);
    checkText("sessionId", sessionId);
    checkText("chatbotId", chatbotId);
    checkText("organizationId", organizationId);
    const data = present({ messageId, ...message, metadata });
    const about = { priority, userId, chatbotId, sessionId };
    return this.emit({ ...about, type: "conversation_activity", organizationId, data });
  }
}

/** A message may be empty, or hold what no name would, but it is a text. */
function checkContent(content: unknown): void {
  if (typeof content !== "string") throw new InvalidEventError("content", "be a text");
}
