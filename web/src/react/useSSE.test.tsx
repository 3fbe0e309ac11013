// @vitest-environment happy-dom

// What a component has of `useSSE`: events, state, and both when it asks for something else.

import { act } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import type { ChatbotMetrics, EventOf, OutboxEvent } from "../protocol.js";
import { settle } from "../testing/act.js";
import { page, setHooks } from "../testing/hooks.js";
import { connectedFrame, eventFrame, statusFrame } from "../testing/server.js";
import { useSSE } from "./index.js";

const hooks = setHooks();
const { mount, render, query, Reader } = hooks;

describe("useSSE", () => {
  it("streams while it is mounted, once even in strict mode", async () => {
    await mount(page(<Reader />));
    expect(hooks.result.status).toBe("connecting");
    await hooks.server.last.stream(connectedFrame("1") + eventFrame("2") + eventFrame("3", "3"));
    await settle();
    expect(hooks.server.exchanges).toHaveLength(1);
    expect(hooks.server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(hooks.result).toMatchObject({ status: "connected", error: null });
    expect(hooks.result.stats).toEqual({ received: 2, byType: { document_processing: 2 } });
    expect(hooks.result.events.map(({ id }) => id)).toEqual(["2", "3"]);
    expect(hooks.result.lastEvent?.id).toBe("3");
    act(() => hooks.result.clearEvents());
    await settle();
    expect([hooks.result.events, hooks.result.lastEvent, hooks.result.stats.received]).toEqual([[], null, 2]);
  });

  it("calls the newest callback for every event", async () => {
    const calls: string[] = [];
    const named = (name: string) => page(<Reader onEvent={(event) => calls.push(`${name} ${event.id}`)} />);
    const root = await mount(named("first"));
    await hooks.server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await render(root, named("second"));
    await hooks.server.last.send(eventFrame("3") + eventFrame("4", "4"));
    expect(calls).toEqual(["first 2", "second 3", "second 4"]);
    expect(hooks.server.exchanges).toHaveLength(1);
  });

  it("hands over a burst whole, and renders a bounded number of times", async () => {
    const ids: string[] = [];
    await mount(page(<Reader onEvent={({ id }) => ids.push(id)} />));
    const count = 10_000;
    const burst = Array.from({ length: count }, (_, n) => eventFrame(`${n + 2}`, `${n + 2}`)).join("");
    await hooks.server.last.stream(connectedFrame("1"));
    await settle();
    hooks.renders = 0;
    await act(() => hooks.server.last.send(burst));
    await settle();
    expect(ids).toEqual(Array.from({ length: count }, (_, n) => `${n + 2}`));
    expect(hooks.result.stats.received).toBe(count);
    expect(hooks.result.events).toHaveLength(100);
    // Strict mode renders everything twice.
    expect(hooks.renders).toBeLessThanOrEqual(30);
  });

  it("keeps as many events as it is told", async () => {
    await mount(page(<Reader maxEvents={2} />));
    await hooks.server.last.stream(
      connectedFrame("1") + eventFrame("2") + eventFrame("3") + eventFrame("4", "4"),
    );
    await settle();
    expect(hooks.result.events.map(({ id }) => id)).toEqual(["3", "4"]);
  });

  it("begins anew for another organization, on the stream that goes on from the cursor", async () => {
    const root = await mount(page(<Reader organizationId="a" subscriptions={["document_processing"]} />));
    await hooks.server.last.stream(connectedFrame("1", ["a"]) + eventFrame("2", "2"));
    await settle();
    expect(hooks.result.events).toHaveLength(1);
    await render(root, page(<Reader organizationId="b" subscriptions={["document_processing"]} />));
    expect(hooks.result.events).toEqual([]);
    // What changes a stream is loaded when it is needed.
    await vi.dynamicImportSettled();
    await settle();
    expect(query().get("organizationId")).toBe("b");
    expect(hooks.server.last.headers.get("last-event-id")).toBe("2");
    await hooks.server.last.stream(connectedFrame("2", ["b"]));
    await settle();
    expect(hooks.server.exchanges.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("does not begin anew for a list that says the same", async () => {
    const root = await mount(page(<Reader subscriptions={["document_processing"]} />));
    await hooks.server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await render(root, page(<Reader subscriptions={["document_processing"]} />));
    expect(hooks.result.events).toHaveLength(1);
    expect(hooks.server.exchanges).toHaveLength(1);
  });

  it("goes by the organization of the page", async () => {
    await mount(page(<Reader />, { organizationId: "a" }));
    expect(query().get("organizationId")).toBe("a");
  });

  it("keeps to one chatbot, and to what its filter holds for", async () => {
    await mount(page(<Reader chatbotId="c1" filter={({ id }) => id !== "3"} />));
    const ofBot = (id: string, chatbotId: string) =>
      eventFrame(id).replace(`"id":"${id}"`, `"id":"${id}","chatbotId":"${chatbotId}"`);
    const frames = ofBot("2", "c2") + ofBot("3", "c1") + ofBot("4", "c1") + eventFrame("5", "5");
    await hooks.server.last.stream(connectedFrame("1") + frames);
    await settle();
    expect(hooks.result.events.map(({ id }) => id)).toEqual(["4"]);
  });

  it("takes types away at once, and has them again when it asks", async () => {
    await mount(page(<Reader />));
    await hooks.server.last.stream(connectedFrame("1"));
    await act(() => hooks.result.unsubscribe(["document_processing"]));
    await hooks.server.last.send(eventFrame("2", "2"));
    await act(() => hooks.result.subscribe(["document_processing"]));
    await hooks.server.last.send(eventFrame("3", "3"));
    await settle();
    expect(hooks.result.events.map(({ id }) => id)).toEqual(["3"]);
  });

  it("says that everything has to be fetched again", async () => {
    const onReset = vi.fn();
    await mount(page(<Reader onReset={onReset} />));
    await hooks.server.last.stream(
      connectedFrame("1") + statusFrame({ status: "reset", reason: "history_expired" }, "5"),
    );
    expect(onReset.mock.calls).toEqual([["history_expired"]]);
  });

  it("disconnects and reconnects the page", async () => {
    await mount(page(<Reader />));
    await hooks.server.last.stream(connectedFrame("7"));
    act(() => hooks.result.disconnect());
    await settle();
    expect([hooks.result.status, hooks.server.last.aborted]).toEqual(["disconnected", true]);
    act(() => hooks.result.reconnect());
    await settle();
    expect(hooks.server.last.headers.get("last-event-id")).toBe("7");
  });

  it("leaves nothing behind when it is gone before the answer comes", async () => {
    const root = await mount(page(<Reader />));
    act(() => root.unmount());
    await settle();
    expect(hooks.server.last.aborted).toBe(true);
    expect(hooks.server.exchanges).toHaveLength(1);
  });

  it("is typed by what it subscribes to", () => {
    function Typed() {
      const { events, lastEvent } = useSSE({ subscriptions: ["chatbot_metrics"] });
      expectTypeOf(events).toEqualTypeOf<readonly EventOf<"chatbot_metrics">[]>();
      expectTypeOf(lastEvent?.data).toEqualTypeOf<ChatbotMetrics | undefined>();
      const all = useSSE();
      expectTypeOf(all.events).toEqualTypeOf<readonly OutboxEvent[]>();
      return null;
    }
    expect(renderToString(<Typed />)).toBe("");
  });
});
