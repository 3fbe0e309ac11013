// @vitest-environment happy-dom

import { act, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connectedFrame, eventFrame, FakeServer } from "../testing/server.js";
import { RowcastProvider } from "./RowcastProvider.js";
import { type UseSSEOptions, type UseSSEResult, useSSE } from "./useSSE.js";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);

let server: FakeServer;
let result: UseSSEResult;

function Reader(options: UseSSEOptions) {
  result = useSSE(options);
  return <output>{result.status}</output>;
}

function Probe({ autoReconnect, ...options }: UseSSEOptions) {
  return (
    <RowcastProvider token={() => "t1"} autoReconnect={autoReconnect}>
      <Reader {...options} />
    </RowcastProvider>
  );
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  vi.stubGlobal("fetch", server.environment.fetch);
});

afterEach(() => vi.useRealTimers());

const settle = () => act(() => vi.advanceTimersByTimeAsync(50));

async function mount(element: React.ReactNode) {
  const root = createRoot(document.createElement("div"));
  act(() => root.render(<StrictMode>{element}</StrictMode>));
  await settle();
  return root;
}

it("streams while it is mounted, once even in strict mode", async () => {
  const root = await mount(<Probe />);
  await server.last.stream(connectedFrame("1") + eventFrame("2") + eventFrame("3", "3"));
  await settle();
  expect(server.exchanges).toHaveLength(1);
  expect(result).toMatchObject({ status: "connected", error: null, stats: { received: 2 } });
  expect(result.lastEvent?.id).toBe("3");
  act(() => root.unmount());
  await settle();
  expect(server.last.aborted).toBe(true);
});

it("calls the newest callback for every event", async () => {
  const calls: string[] = [];
  const named = (name: string) => <Probe onEvent={(event) => calls.push(`${name} ${event.id}`)} />;
  const root = await mount(named("first"));
  await server.last.stream(connectedFrame("1") + eventFrame("2", "2"));
  act(() => root.render(<StrictMode>{named("second")}</StrictMode>));
  await server.last.send(eventFrame("3") + eventFrame("4", "4"));
  expect(calls).toEqual(["first 2", "second 3", "second 4"]);
  expect(server.exchanges).toHaveLength(1);
  act(() => root.unmount());
});

it("opens another stream for other options", async () => {
  const root = await mount(<Probe organizationId="a" />);
  act(() => root.render(<Probe organizationId="b" subscriptions={["user_activity"]} />));
  await settle();
  expect(server.exchanges[0]?.aborted).toBe(true);
  expect(server.last.url).toContain("subscriptions=user_activity&organizationId=b");
  act(() => root.unmount());
});

it("does not come back when it is not to", async () => {
  const root = await mount(<Probe autoReconnect={false} />);
  await server.last.fail();
  await settle();
  expect(result.status).toBe("error");
  act(() => root.unmount());
});

it("renders on a server without a request", () => {
  expect(renderToString(<Probe />)).toBe("<output>disconnected</output>");
  expect(server.exchanges).toHaveLength(0);
});
