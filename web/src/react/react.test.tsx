// @vitest-environment happy-dom

import { act, type ReactNode, StrictMode } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import type { ChatbotMetrics, EventOf, OutboxEvent } from "../protocol.js";
import { connectedFrame, eventFrame, FakeServer, statusFrame } from "../testing/server.js";
import {
  RowcastProvider,
  type RowcastProviderProps,
  type UseConnectionResult,
  type UseSSEOptions,
  type UseSSEResult,
  useChatbotMetricsEvents,
  useConnection,
  useConversationEvents,
  useDocumentProcessingEvents,
  useErrorEvents,
  usePerformanceAlerts,
  useRowcastEvents,
  useSSE,
  useSystemHealthEvents,
  useUserActivityEvents,
} from "./index.js";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);

let server: FakeServer;
let roots: Root[];
let errors: ReturnType<typeof vi.spyOn>;
let result: UseSSEResult;
let renders: number;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  roots = [];
  renders = 0;
  vi.stubGlobal("fetch", server.environment.fetch);
  // React says on the console what it does not like: mismatches, updates outside of effects.
  errors = vi.spyOn(console, "error");
});

afterEach(async () => {
  for (const root of roots) act(() => root.unmount());
  await settle();
  expect(server.exchanges.every(({ aborted }) => aborted)).toBe(true);
  expect(server.listeners).toBe(0);
  expect(errors).not.toHaveBeenCalled();
  vi.useRealTimers();
});

/** Lets a frame pass. */
const settle = () => act(() => vi.advanceTimersByTimeAsync(50));

async function mount(element: ReactNode): Promise<Root> {
  const root = createRoot(document.createElement("div"));
  roots.push(root);
  await render(root, element);
  return root;
}

async function render(root: Root, element: ReactNode): Promise<void> {
  act(() => root.render(<StrictMode>{element}</StrictMode>));
  await settle();
}

const page = (children: ReactNode, props: RowcastProviderProps = {}) => (
  <RowcastProvider token={() => "t1"} tabs={false} {...props}>
    {children}
  </RowcastProvider>
);

function Reader(options: UseSSEOptions) {
  result = useSSE(options);
  renders += 1;
  return <output>{result.status}</output>;
}

function Caller({ name, ...options }: { name: string } & Parameters<typeof useRowcastEvents>[0]) {
  useRowcastEvents(options);
  renders += 1;
  return name;
}

const query = (index = -1) => new URL(server.exchanges.at(index)?.url ?? "", "http://here").searchParams;

describe("useSSE", () => {
  it("streams while it is mounted, once even in strict mode", async () => {
    await mount(page(<Reader />));
    expect(result.status).toBe("connecting");
    await server.last.stream(connectedFrame("1") + eventFrame("2") + eventFrame("3", "3"));
    await settle();
    expect(server.exchanges).toHaveLength(1);
    expect(server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(result).toMatchObject({ status: "connected", error: null });
    expect(result.stats).toEqual({ received: 2, byType: { document_processing: 2 } });
    expect(result.events.map(({ id }) => id)).toEqual(["2", "3"]);
    expect(result.lastEvent?.id).toBe("3");
    act(() => result.clearEvents());
    await settle();
    expect([result.events, result.lastEvent, result.stats.received]).toEqual([[], null, 2]);
  });

  it("calls the newest callback for every event", async () => {
    const calls: string[] = [];
    const named = (name: string) => page(<Reader onEvent={(event) => calls.push(`${name} ${event.id}`)} />);
    const root = await mount(named("first"));
    await server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await render(root, named("second"));
    await server.last.send(eventFrame("3") + eventFrame("4", "4"));
    expect(calls).toEqual(["first 2", "second 3", "second 4"]);
    expect(server.exchanges).toHaveLength(1);
  });

  it("hands over a burst whole, and renders a bounded number of times", async () => {
    const ids: string[] = [];
    await mount(page(<Reader onEvent={({ id }) => ids.push(id)} />));
    const count = 10_000;
    const burst = Array.from({ length: count }, (_, n) => eventFrame(`${n + 2}`, `${n + 2}`)).join("");
    await server.last.stream(connectedFrame("1"));
    await settle();
    renders = 0;
    await act(() => server.last.send(burst));
    await settle();
    expect(ids).toEqual(Array.from({ length: count }, (_, n) => `${n + 2}`));
    expect(result.stats.received).toBe(count);
    expect(result.events).toHaveLength(100);
    // Strict mode renders everything twice.
    expect(renders).toBeLessThanOrEqual(30);
  });

  it("keeps as many events as it is told", async () => {
    await mount(page(<Reader maxEvents={2} />));
    await server.last.stream(connectedFrame("1") + eventFrame("2") + eventFrame("3") + eventFrame("4", "4"));
    await settle();
    expect(result.events.map(({ id }) => id)).toEqual(["3", "4"]);
  });

  it("begins anew for another organization, on the stream that goes on from the cursor", async () => {
    const root = await mount(page(<Reader organizationId="a" subscriptions={["document_processing"]} />));
    await server.last.stream(connectedFrame("1", ["a"]) + eventFrame("2", "2"));
    await settle();
    expect(result.events).toHaveLength(1);
    await render(root, page(<Reader organizationId="b" subscriptions={["document_processing"]} />));
    expect(result.events).toEqual([]);
    // What changes a stream is loaded when it is needed.
    await vi.dynamicImportSettled();
    await settle();
    expect(query().get("organizationId")).toBe("b");
    expect(server.last.headers.get("last-event-id")).toBe("2");
    await server.last.stream(connectedFrame("2", ["b"]));
    await settle();
    expect(server.exchanges.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("does not begin anew for a list that says the same", async () => {
    const root = await mount(page(<Reader subscriptions={["document_processing"]} />));
    await server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await render(root, page(<Reader subscriptions={["document_processing"]} />));
    expect(result.events).toHaveLength(1);
    expect(server.exchanges).toHaveLength(1);
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
    await server.last.stream(connectedFrame("1") + frames);
    await settle();
    expect(result.events.map(({ id }) => id)).toEqual(["4"]);
  });

  it("takes types away at once, and has them again when it asks", async () => {
    await mount(page(<Reader />));
    await server.last.stream(connectedFrame("1"));
    await act(() => result.unsubscribe(["document_processing"]));
    await server.last.send(eventFrame("2", "2"));
    await act(() => result.subscribe(["document_processing"]));
    await server.last.send(eventFrame("3", "3"));
    await settle();
    expect(result.events.map(({ id }) => id)).toEqual(["3"]);
  });

  it("says that everything has to be fetched again", async () => {
    const onReset = vi.fn();
    await mount(page(<Reader onReset={onReset} />));
    await server.last.stream(
      connectedFrame("1") + statusFrame({ status: "reset", reason: "history_expired" }, "5"),
    );
    expect(onReset.mock.calls).toEqual([["history_expired"]]);
  });

  it("disconnects and reconnects the page", async () => {
    await mount(page(<Reader />));
    await server.last.stream(connectedFrame("7"));
    act(() => result.disconnect());
    await settle();
    expect([result.status, server.last.aborted]).toEqual(["disconnected", true]);
    act(() => result.reconnect());
    await settle();
    expect(server.last.headers.get("last-event-id")).toBe("7");
  });

  it("leaves nothing behind when it is gone before the answer comes", async () => {
    const root = await mount(page(<Reader />));
    act(() => root.unmount());
    await settle();
    expect(server.last.aborted).toBe(true);
    expect(server.exchanges).toHaveLength(1);
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

describe("persistence", () => {
  const fails = async () => {
    await server.last.fail();
    await settle();
  };

  it("is what the hook says", async () => {
    await mount(page(<Reader autoReconnect={false} />));
    await fails();
    expect([result.status, server.exchanges.length]).toEqual(["error", 1]);
  });

  it("is what the page says, if the hook says nothing", async () => {
    await mount(page(<Reader />, { autoReconnect: false }));
    await fails();
    expect([result.status, server.exchanges.length]).toEqual(["error", 1]);
  });

  it("is that of the most patient, if they differ", async () => {
    await mount(
      page(
        <>
          <Caller name="patient" onEvent={() => {}} />
          <Reader autoReconnect={false} />
        </>,
      ),
    );
    await fails();
    expect(result.status).toBe("reconnecting");
  });

  it("is ten attempts unless somebody says something", async () => {
    await mount(page(<Reader />));
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await server.last.fail();
      await act(() => vi.advanceTimersByTimeAsync(30_000));
    }
    expect([result.status, server.exchanges.length]).toEqual(["reconnecting", 11]);
    await fails();
    expect(result.status).toBe("error");
  });
});

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
    expect(server.exchanges).toHaveLength(1);
    expect(query().get("subscriptions")).toBe("document_processing,user_activity");
    await server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
    await settle();
    await render(root, all(false));
    expect([server.exchanges.length, server.last.aborted]).toEqual([1, false]);
    expect([result.events.length, calls]).toEqual([1, []]);
  });

  it("asks for the newest token, even for a child that is mounted with it", async () => {
    const at = (token: string, child: ReactNode) => page(child, { token: () => token });
    const root = await mount(at("first", null));
    expect(server.exchanges).toHaveLength(0);
    await render(root, at("second", <Reader />));
    expect(server.last.headers.get("authorization")).toBe("Bearer second");
  });

  it("opens another stream at another address", async () => {
    const root = await mount(page(<Reader />, { url: "/one" }));
    await render(root, page(<Reader />, { url: "/two" }));
    expect(server.exchanges.map(({ url, aborted }) => [url, aborted])).toEqual([
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
    expect([connection?.status, server.exchanges.length]).toEqual(["disconnected", 0]);
    const both = page(
      <>
        <Light />
        <Caller name="" onEvent={() => {}} />
      </>,
    );
    await render(root, both);
    await server.last.stream(connectedFrame("1"));
    await settle();
    expect(connection?.status).toBe("connected");
    act(() => connection?.disconnect());
    await settle();
    expect([connection?.status, server.last.aborted]).toEqual(["disconnected", true]);
  });

  it("is there without a provider, signed in by the cookie", async () => {
    await mount(
      <>
        <Reader />
        <Caller name="" onEvent={() => {}} />
      </>,
    );
    expect(server.exchanges).toHaveLength(1);
    expect(server.last.headers.get("authorization")).toBeNull();
    expect(server.last.url).toBe("/api/v1/realtime/sse");
  });

  it("does not render for a callback", async () => {
    const ids: string[] = [];
    await mount(page(<Caller name="" onEvent={({ id }) => ids.push(id)} filter={({ id }) => id !== "3"} />));
    await server.last.stream(connectedFrame("1"));
    renders = 0;
    await server.last.send(eventFrame("2") + eventFrame("3") + eventFrame("4", "4"));
    await settle();
    expect([ids, renders]).toEqual([["2", "4"], 0]);
  });

  it("catches up from where its data was loaded, once even in strict mode", async () => {
    const ids: string[] = [];
    const loaded = (since?: string) =>
      page(<Caller name="" since={since} onEvent={({ id }) => ids.push(id)} />);
    const root = await mount(loaded("5"));
    expect(server.last.headers.get("last-event-id")).toBe("5");
    await server.last.stream(connectedFrame("5") + eventFrame("6", "6") + eventFrame("7", "7"));
    expect(ids).toEqual(["6", "7"]);
    // It has loaded again, as of 6: what came after that is not in what it has now.
    await render(root, loaded("6"));
    expect(ids).toEqual(["6", "7", "7"]);
  });
});

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
    expect(server.exchanges).toHaveLength(0);
  });

  it("is taken over without a mismatch, and comes to life", async () => {
    const container = document.createElement("div");
    container.innerHTML = renderToString(<App />);
    const onRecoverableError = vi.fn();
    const root = await act(async () => hydrateRoot(container, <App />, { onRecoverableError }));
    roots.push(root);
    await settle();
    await server.last.stream(connectedFrame("1"));
    await settle();
    expect(container.textContent).toBe("connected");
    expect(onRecoverableError).not.toHaveBeenCalled();
  });
});

describe("the hooks of each type", () => {
  const frame = (id: string, type: string, data: object, more: object = {}) =>
    `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, type, data, operation: "INSERT", ...more })}\n\n`;

  it("ask for their own and know the newest", async () => {
    let seen: Record<string, readonly { id: string }[]> = {};
    function All() {
      const documents = useDocumentProcessingEvents("o1");
      const health = useSystemHealthEvents();
      const alerts = usePerformanceAlerts();
      seen = {
        documents: documents.documents,
        documentEvents: documents.events,
        conversations: useConversationEvents("c1").events,
        components: health.components,
        errors: useErrorEvents().events,
        metrics: useChatbotMetricsEvents("c1", "o1").events,
        activity: useUserActivityEvents().events,
        firing: alerts.firing,
      };
      expectTypeOf(documents.documents[0]?.data.filename).toEqualTypeOf<string | undefined>();
      expectTypeOf(health.lastEvent?.data.status).toEqualTypeOf<
        "healthy" | "degraded" | "down" | undefined
      >();
      return null;
    }
    await mount(page(<All />));
    expect(query().get("subscriptions")?.split(",")).toHaveLength(7);
    const alert = { metric: "latency", status: "firing" };
    await server.last.stream(
      connectedFrame("1") +
        frame("2", "document_processing", { documentId: "a" }, { organizationId: "o1" }) +
        frame("3", "document_processing", { documentId: "b" }, { organizationId: "o1" }) +
        frame("4", "document_processing", { documentId: "a" }, { organizationId: "o1" }) +
        frame("5", "document_processing", { documentId: "c" }, { organizationId: "o2" }) +
        frame("6", "conversation_activity", {}, { chatbotId: "c1" }) +
        frame("7", "conversation_activity", {}, { chatbotId: "c2" }) +
        frame("8", "system_health", { component: "database" }) +
        frame("9", "system_health", { component: "database" }) +
        frame("10", "error_notification", {}) +
        frame("11", "chatbot_metrics", {}, { chatbotId: "c1", organizationId: "o2" }) +
        frame("12", "chatbot_metrics", {}, { chatbotId: "c1", organizationId: "o1" }) +
        frame("13", "user_activity", {}) +
        frame("14", "performance_alert", alert, { chatbotId: "c1" }) +
        frame("15", "performance_alert", alert, { chatbotId: "c2" }) +
        frame("16", "performance_alert", { ...alert, status: "resolved" }, { chatbotId: "c1" }),
    );
    await settle();
    const ids = Object.fromEntries(
      Object.entries(seen).map(([name, list]) => [name, list.map(({ id }) => id)]),
    );
    expect(ids).toEqual({
      documents: ["4", "3"],
      documentEvents: ["2", "3", "4"],
      conversations: ["6"],
      components: ["9"],
      errors: ["10"],
      metrics: ["12"],
      activity: ["13"],
      firing: ["15"],
    });
  });
});
