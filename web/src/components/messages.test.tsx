// @vitest-environment happy-dom

// What `ConversationMonitor` shows of messages.

import { describe, expect, it } from "vitest";
import { setScreen } from "../testing/screen.js";
import { ConversationMonitor } from "./index.js";
import { event } from "./model/fixture.js";

const screen = setScreen();
const { connect, send, text } = screen;

describe("messages", () => {
  const said = (data: object) =>
    event("conversation_activity", { messageId: "1", messageType: "bot_response", ...data });

  it("are written as they come", async () => {
    await connect(<ConversationMonitor />);
    await send(said({ status: "generating" }));
    expect(text()).toContain("Writing");
    await send(said({ status: "generating", content: "It left" }));
    await send(said({ status: "completed", content: "It left today.", responseTime: 1840 }));
    expect(screen.page.querySelectorAll("li")).toHaveLength(1);
    expect(text()).toContain("It left today.");
    expect(text()).toContain("1.8 s");
  });

  it("are hidden from those who may not read them, and said to be", async () => {
    await connect(<ConversationMonitor />);
    await send(said({ content: "[FILTERED]" }), said({ messageId: "2", error: "[FILTERED]" }));
    expect(text()).toContain("Hidden from your role");
    expect(text()).toContain("Failed: the reason is hidden from your role");
    expect(text()).not.toContain("[FILTERED]");
  });

  it("of other chatbots are left out", async () => {
    await connect(<ConversationMonitor chatbotId="b1" />);
    const of = (chatbotId: string, content: string) =>
      event("conversation_activity", { messageId: content, content }, { chatbotId });
    await send(of("b1", "ours"), of("b2", "theirs"));
    expect(text()).toContain("ours");
    expect(text()).not.toContain("theirs");
  });
});
