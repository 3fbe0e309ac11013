// @vitest-environment happy-dom

// What all hooks of a page share: one stream, under the token and the address of the page.

import { act, type ReactNode } from "react";
import { describe, expect, it } from "vitest";
import { settle } from "../testing/act.js";
import { page, setHooks } from "../testing/hooks.js";
import { connectedFrame, eventFrame } from "../testing/server.js";
import { type UseConnectionResult, useConnection } from "./index.js";

const hooks = setHooks();
const { mount, render, query, Reader, Caller } = hooks;

describe("one page", () => {
  it("has one stream for all of its hooks, closed with the last", async () => {
    const calls: string[] = [];
    const all = (more: boolean) =>
      page(
        <>
          <Reader subscriptions={["document_processing"]} />
          {more && (
            <Caller name="more" subscriptions={["user_activity"]} onEvent={({ id }) => calls.push(id)} />
          )}
        </>,
      );
    const root = await mount(all(true));
    expect(hooks.server.exchanges).toHaveLength(1);
    expect(query().get("subscriptions")).toBe("document_processing,user_activity");
    await hooks.server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await settle();
    await render(root, all(false));
    expect([hooks.server.exchanges.length, hooks.server.last.aborted]).toEqual([1, false]);
    expect([hooks.result.events.length, calls]).toEqual([1, []]);
  });

  it("asks for the newest token, even for a child that is mounted with it", async () => {
    const at = (token: string, child: ReactNode) => page(child, { token: () => token });
    const root = await mount(at("first", null));
    expect(hooks.server.exchanges).toHaveLength(0);
    await render(root, at("second", <Reader />));
    expect(hooks.server.last.headers.get("authorization")).toBe("Bearer second");
  });

  it("opens another stream at another address", async () => {
    const root = await mount(page(<Reader />, { url: "/one" }));
    await render(root, page(<Reader />, { url: "/two" }));
    expect(hooks.server.exchanges.map(({ url, aborted }) => [url, aborted])).toEqual([
      ["/one", true],
      ["/two", false],
    ]);
  });

  it("is told of a stream only while it is shown", async () => {
    let connection: UseConnectionResult | undefined;
    function Light() {
      connection = useConnection();
      return <output>{connection.status}</output>;
    }
    const root = await mount(page(<Light />));
    expect([connection?.status, hooks.server.exchanges.length]).toEqual(["disconnected", 0]);
    const both = page(
      <>
        <Light />
        <Caller name="" onEvent={() => {}} />
      </>,
    );
    await render(root, both);
    await hooks.server.last.stream(connectedFrame("1"));
    await settle();
    expect(connection?.status).toBe("connected");
    act(() => connection?.disconnect());
    await settle();
    expect([connection?.status, hooks.server.last.aborted]).toEqual(["disconnected", true]);
  });

  it("is there without a provider, signed in by the cookie", async () => {
    await mount(
      <>
        <Reader />
        <Caller name="" onEvent={() => {}} />
      </>,
    );
    expect(hooks.server.exchanges).toHaveLength(1);
    expect(hooks.server.last.headers.get("authorization")).toBeNull();
    expect(hooks.server.last.url).toBe("/api/v1/realtime/sse");
  });

  it("does not render for a callback", async () => {
    const ids: string[] = [];
    await mount(page(<Caller name="" onEvent={({ id }) => ids.push(id)} filter={({ id }) => id !== "3"} />));
    await hooks.server.last.stream(connectedFrame("1"));
    hooks.renders = 0;
    await hooks.server.last.send(eventFrame("2") + eventFrame("3") + eventFrame("4", "4"));
    await settle();
    expect([ids, hooks.renders]).toEqual([["2", "4"], 0]);
  });

  it("catches up from where its data was loaded, once even in strict mode", async () => {
    const ids: string[] = [];
    const loaded = (since?: string) =>
      page(<Caller name="" since={since} onEvent={({ id }) => ids.push(id)} />);
    const root = await mount(loaded("5"));
    expect(hooks.server.last.headers.get("last-event-id")).toBe("5");
    await hooks.server.last.stream(connectedFrame("5") + eventFrame("6", "6") + eventFrame("7", "7"));
    expect(ids).toEqual(["6", "7"]);
    // It has loaded again, as of 6: what came after that is not in what it has now.
    await render(root, loaded("6"));
    expect(ids).toEqual(["6", "7", "7"]);
  });
});
