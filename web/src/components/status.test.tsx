// @vitest-environment happy-dom

// What `StatusIndicator` says of the stream.

import { describe, expect, it } from "vitest";
import { setScreen } from "../testing/screen.js";
import { StatusIndicator } from "./index.js";

const { show, text, expectAccessible } = setScreen();

describe("the status of the stream", () => {
  it.each([
    ["disconnected", "Disconnected"],
    ["connecting", "Connecting"],
    ["connected", "Connected"],
    ["reconnecting", "Reconnecting"],
    ["error", "Error"],
  ] as const)("%s is said in words", async (state, word) => {
    await show(<StatusIndicator status={state} />);
    expect(text()).toBe(word);
    await expectAccessible();
  });

  it("tells when it is connected to a server without its database", async () => {
    await show(<StatusIndicator status="connected" degraded />);
    expect(text()).toBe("Degraded");
  });
});
