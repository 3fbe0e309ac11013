// @vitest-environment happy-dom

// What all components that follow a type have in common: waiting, showing, being cut off, beginning anew.

import { act } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { settle } from "../testing/act.js";
import { click, connected, MONITORS, setScreen } from "../testing/screen.js";

const screen = setScreen();
const { show, connect, send, status, text, find, button, expectAccessible } = screen;

describe.each(MONITORS)("what follows %s", (type, element, first, shown) => {
  it("says what it waits for, shows what comes, and counts it", async () => {
    await show(element);
    expect(text()).toContain("Connecting");
    expect(find("section").getAttribute("aria-busy")).toBe("true");
    await expectAccessible();

    await act(() => screen.server.last.stream(connected()));
    await settle();
    expect(find("section").getAttribute("aria-busy")).toBe("false");
    expect(text()).toMatch(/appears? here|report here/);

    await send(first);
    expect(text()).toContain(shown);
    expect(find(`[data-testid="count-${type}"]`).textContent).toBe("1");
    await expectAccessible();
  });

  it("asks for its own type alone", async () => {
    await show(element);
    expect(new URL(screen.server.last.url, "http://x").searchParams.get("subscriptions")).toBe(type);
  });

  it("says when the role may not see it", async () => {
    await connect(element, ["invoice_paid"]);
    expect(text()).toContain("Your role may not see these events.");
    await expectAccessible();
  });

  it("keeps what it shows while the stream is cut, and says so", async () => {
    await connect(element);
    await send(first);
    await act(() => screen.server.last.fail());
    await settle();
    expect(text()).toContain("Connection lost.");
    expect(text()).toContain(shown);
    await expectAccessible();
    const attempts = screen.server.exchanges.length;
    click(button("Try now"));
    await settle();
    expect(screen.server.exchanges.length).toBe(attempts + 1);
  });

  it("says when the server has lost its database, and when it is back", async () => {
    await connect(element);
    await send(first);
    await status({ status: "degraded" });
    expect(text()).toContain("The server has lost its database.");
    await status({ status: "recovered" });
    expect(text()).not.toContain("The server has lost its database.");
  });

  it("begins anew after a reset, and says so until that is read", async () => {
    await connect(element);
    await send(first);
    await status({ status: "reset", reason: "history_expired" });
    expect(text()).toContain("What is shown began anew.");
    expect(text()).not.toContain(shown);
    click(button("Dismiss"));
    await settle();
    expect(text()).not.toContain("What is shown began anew.");
  });

  it("renders on a server without a request", () => {
    expect(renderToString(element)).toContain("Connecting");
    expect(screen.server.exchanges).toHaveLength(0);
  });
});
