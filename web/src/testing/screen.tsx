// Components on a page with a fake server, made anew for each test: what they show, and what a reader does there.

import axe from "axe-core";
import { act, type ReactNode, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, vi } from "vitest";
import {
  AlertList,
  ConversationMonitor,
  DocumentProcessingMonitor,
  ErrorFeed,
  MetricsMonitor,
  SystemHealthMonitor,
  UserActivityFeed,
} from "../components/index.js";
import { event } from "../components/model/fixture.js";
import type { OutboxEvent } from "../protocol.js";
import { RowcastProvider } from "../react/index.js";
import { settle } from "./act.js";
import { FakeServer, statusFrame } from "./server.js";

/** What the chart hands to its library; what that draws is looked at in Chromium. */
const drawn = vi.hoisted(() => ({ data: [] as unknown[] }));

vi.mock(import("../components/chart/plot.js"), async (original) => {
  interface Hooks {
    setCursor: ((plot: unknown) => void)[];
  }
  class Library {
    data: number[][] = [[]];
    readonly #hooks: Hooks;
    constructor({ hooks }: { hooks: Hooks }) {
      this.#hooks = hooks;
    }
    setData(data: number[][]) {
      this.data = data;
      drawn.data.push(data);
    }
    valToPos = (time: number) => (this.data[0] ?? []).indexOf(time);
    setCursor({ left }: { left: number }) {
      const cursor = { idx: left < 0 ? null : left, left };
      for (const hook of this.#hooks.setCursor) hook({ cursor, bbox: { width: 100 } });
    }
    setScale() {}
    setSize() {}
    redraw() {}
    destroy() {}
  }
  return { ...(await original()), loadLibrary: async () => Library as never };
});

export const ALL = [
  "document_processing",
  "conversation_activity",
  "system_health",
  "error_notification",
  "chatbot_metrics",
  "user_activity",
  "performance_alert",
];

export interface Screen {
  readonly server: FakeServer;
  readonly page: HTMLElement;
  show(element: ReactNode): Promise<void>;
  /** Shows it, and the server says that the stream is there. */
  connect(element: ReactNode, subscriptions?: readonly string[]): Promise<void>;
  /** Sends events under the ids that follow each other from 1001 on. */
  send(...events: OutboxEvent[]): Promise<void>;
  /** What the server says of the connection. */
  status(data: object): Promise<void>;
  /** What the chart has handed to its library. */
  readonly drawn: readonly unknown[];
  text(): string;
  find(selector: string): HTMLElement;
  button(name: string | RegExp): HTMLElement;
  /** What can be judged without layout and colours; the rest is judged in Chromium. */
  expectAccessible(): Promise<void>;
}

/** Call once at the top of a test file; what it returns is filled in before each test. */
export function setScreen(): Screen {
  let server: FakeServer;
  let root: Root;
  let page: HTMLElement;
  let errors: ReturnType<typeof vi.spyOn>;
  let cursor: number;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    cursor = 1000;
    vi.stubGlobal("fetch", server.environment.fetch);
    page = document.body.appendChild(document.createElement("main"));
    root = createRoot(page);
    // React says on the console what it does not like, keys that are not unique among it.
    errors = vi.spyOn(console, "error");
  });

  afterEach(async () => {
    act(() => root.unmount());
    await settle();
    page.remove();
    expect(errors).not.toHaveBeenCalled();
    vi.useRealTimers();
  });

  async function show(element: ReactNode): Promise<void> {
    act(() =>
      root.render(
        <StrictMode>
          <RowcastProvider token={() => "t1"} tabs={false}>
            {element}
          </RowcastProvider>
        </StrictMode>,
      ),
    );
    await settle();
  }

  return {
    get server() {
      return server;
    },
    get page() {
      return page;
    },
    show,
    async connect(element, subscriptions = ALL) {
      await show(element);
      await act(() => server.last.stream(connected(subscriptions)));
      await settle();
    },
    async send(...events) {
      const frames = events.map((each) => {
        cursor += 1;
        return `id: ${cursor}\nevent: ${each.type}\ndata: ${JSON.stringify({ ...each, id: String(cursor) })}\n\n`;
      });
      await act(() => server.last.send(frames.join("")));
      await settle();
    },
    async status(data) {
      await act(() => server.last.send(statusFrame(data, String(++cursor))));
      await settle();
    },
    get drawn() {
      return drawn.data;
    },
    text: () => page.textContent ?? "",
    find(selector) {
      const found = page.querySelector<HTMLElement>(selector);
      if (!found) throw new Error(`there is no ${selector} in ${page.innerHTML}`);
      return found;
    },
    button(name) {
      const found = [...page.querySelectorAll("button")].find(({ textContent }) =>
        typeof name === "string" ? textContent === name : name.test(textContent ?? ""),
      );
      if (!found) throw new Error(`there is no button ${name} in ${page.innerHTML}`);
      return found;
    },
    async expectAccessible() {
      vi.useRealTimers();
      const { violations } = await axe.run(page, { rules: { "color-contrast": { enabled: false } } });
      vi.useFakeTimers();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    },
  };
}

/** The stream is there, and brings what is named. */
export const connected = (subscriptions: readonly string[] = ALL) =>
  statusFrame({ status: "connected", connectionId: "c1", subscriptions, organizations: ["o1"] }, "1000");

export const click = (element: HTMLElement): void => act(() => element.click());

export const press = (element: Element, key: string): void =>
  act(() => {
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });

export const document1 = (more: object) =>
  event("document_processing", { documentId: "1", filename: "a.pdf", stage: "ocr", progress: 20, ...more });

/** What follows one type: the type, the component, an event, and what it shows of that. */
export const MONITORS: readonly [string, ReactNode, OutboxEvent, string][] = [
  ["document_processing", <DocumentProcessingMonitor key="1" />, document1({}), "a.pdf"],
  [
    "conversation_activity",
    <ConversationMonitor key="2" />,
    event("conversation_activity", { messageId: "1", messageType: "user_message", content: "Where is it?" }),
    "Where is it?",
  ],
  [
    "system_health",
    <SystemHealthMonitor key="3" />,
    event("system_health", { component: "mail_queue", metric: "p95_ms", value: 12, status: "healthy" }),
    "Mail queue",
  ],
  [
    "error_notification",
    <ErrorFeed key="4" />,
    event("error_notification", { component: "database", severity: "high", message: "out of disk" }),
    "out of disk",
  ],
  [
    "chatbot_metrics",
    <MetricsMonitor key="5" />,
    event("chatbot_metrics", { cost: "1.50", responseTime: 900 }, { chatbotId: "b1" }),
    "$1.50",
  ],
  [
    "user_activity",
    <UserActivityFeed key="6" />,
    event("user_activity", { userId: "u9", action: "login" }),
    "Login",
  ],
  [
    "performance_alert",
    <AlertList key="7" />,
    event("performance_alert", { metric: "p95", value: 9, threshold: 5, status: "firing", message: "slow" }),
    "slow",
  ],
];
