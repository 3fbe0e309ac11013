import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { ConversationSSE, configure } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const message = ["m-1", "session-1", "bot-1", "org-1"] as const;
const steps: [string, () => Promise<string>, object, string][] = [
  [
    "notifyUserMessage",
    () => ConversationSSE.notifyUserMessage(...message, "Is it waterproof?"),
    { messageType: "user_message", status: "completed", content: "Is it waterproof?" },
    "low",
  ],
  [
    "notifyBotResponseStarted",
    () => ConversationSSE.notifyBotResponseStarted(...message),
    { messageType: "bot_response", status: "generating" },
    "low",
  ],
  [
    "notifyBotResponseCompleted",
    () => ConversationSSE.notifyBotResponseCompleted(...message, "", 900, { metadata: { tokens: 0 } }),
    {
      messageType: "bot_response",
      status: "completed",
      content: "",
      responseTime: 900,
      metadata: { tokens: 0 },
    },
    "low",
  ],
  [
    "notifyConversationError",
    () => ConversationSSE.notifyConversationError(...message, "the model timed out"),
    { messageType: "bot_response", status: "failed", error: "the model timed out" },
    "high",
  ],
];
it.each(steps)("%s", async (_, notify, data, priority) => {
  await notify();
  expect(client.announced).toEqual({
    type: "conversation_activity",
    organizationId: "org-1",
    userId: null,
    chatbotId: "bot-1",
    sessionId: "session-1",
    priority,
    data: { messageId: "m-1", ...data },
  });
});

it("refuses what is no message", async () => {
  const nothing: unknown = undefined;
  const content = nothing as string;
  await expect(ConversationSSE.notifyUserMessage(...message, content)).rejects.toThrow(
    "content must be a text",
  );
  await expect(
    ConversationSSE.notifyBotResponseCompleted(...message, "yes", Number.POSITIVE_INFINITY),
  ).rejects.toThrow("responseTime must be a finite number, 0 or more");
  await expect(ConversationSSE.notifyUserMessage("m-1", "", "bot-1", "org-1", "hi")).rejects.toThrow(
    "sessionId",
  );
  expect(client.calls).toEqual([]);
});
