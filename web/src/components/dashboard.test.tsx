// @vitest-environment happy-dom

// What `SSEDashboard` shows: all of them, and the connection once.

import { act } from "react";
import { describe, expect, it } from "vitest";
import type { OutboxEvent } from "../protocol.js";
import { settle } from "../testing/act.js";
import { ALL, click, document1, MONITORS, setScreen } from "../testing/screen.js";
import { SSEDashboard } from "./index.js";

const screen = setScreen();
const { connect, send, status, text, find, button, expectAccessible } = screen;

describe("the dashboard", () => {
  it("shows all of them over one stream, and speaks of the connection once", async () => {
    await connect(<SSEDashboard organizationId="o1" chatbotId="b1" />);
    expect(screen.server.exchanges).toHaveLength(1);
    for (const type of ALL) expect(find(`[data-type="${type}"]`)).toBeTruthy();
    await send(...MONITORS.map(([, , first]) => ({ ...first, chatbotId: "b1" }) as OutboxEvent));
    for (const [, , , shown] of MONITORS) expect(text()).toContain(shown);
    await expectAccessible();
    await act(() => screen.server.last.fail());
    await settle();
    expect(text().match(/Connection lost/g)).toHaveLength(1);
    expect(text()).toContain("Reconnecting");
  });

  it("leaves that to the app around it, if told so", async () => {
    await connect(<SSEDashboard quiet />);
    await act(() => screen.server.last.fail());
    await settle();
    expect(text()).not.toContain("Connection lost");
  });

  it("says once that it began anew", async () => {
    await connect(<SSEDashboard />);
    await send(document1({}));
    await status({ status: "reset", reason: "history_expired" });
    expect(text().match(/What is shown began anew/g)).toHaveLength(1);
    click(button("Dismiss"));
    expect(text()).not.toContain("What is shown began anew");
  });
});
