// @vitest-environment happy-dom

// What is rendered on a server, and taken over in the browser.

import { act } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { settle } from "../testing/act.js";
import { page, setHooks } from "../testing/hooks.js";
import { connectedFrame } from "../testing/server.js";

const hooks = setHooks();
const { Reader, Caller } = hooks;

describe("on a server", () => {
  const App = () =>
    page(
      <>
        <Reader />
        <Caller name="" onEvent={() => {}} />
      </>,
    );

  it("renders the same every time, without a request", () => {
    expect(renderToString(<App />)).toBe("<output>disconnected</output>");
    expect(renderToString(<App />)).toBe("<output>disconnected</output>");
    expect(hooks.server.exchanges).toHaveLength(0);
  });

  it("is taken over without a mismatch, and comes to life", async () => {
    const container = document.createElement("div");
    container.innerHTML = renderToString(<App />);
    const onRecoverableError = vi.fn();
    const root = await act(async () => hydrateRoot(container, <App />, { onRecoverableError }));
    hooks.roots.push(root);
    await settle();
    await hooks.server.last.stream(connectedFrame("1"));
    await settle();
    expect(container.textContent).toBe("connected");
    expect(onRecoverableError).not.toHaveBeenCalled();
  });
});
