// @vitest-environment happy-dom

import axe from "axe-core";
import { act, type ReactNode, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OutboxEvent } from "../protocol.js";
import { RowcastProvider } from "../react/index.js";
import { FakeServer, statusFrame } from "../testing/server.js";
import {
  AlertList,
  ConversationMonitor,
  DocumentProcessingMonitor,
  ErrorFeed,
  EventList,
  MetricsMonitor,
  SSEDashboard,
  StatusIndicator,
  SystemHealthMonitor,
  UserActivityFeed,
} from "./index.js";
import { event } from "./model/fixture.js";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);

/** What the chart hands to its library; what that draws is looked at in Chromium. */
const drawn = vi.hoisted(() => ({ data: [] as unknown[] }));

vi.mock(import("./chart/plot.js"), async (original) => {
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

const ALL = [
  "document_processing",
  "conversation_activity",
  "system_health",
  "error_notification",
  "chatbot_metrics",
  "user_activity",
  "performance_alert",
];

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

/** Lets a frame pass. */
const settle = () => act(() => vi.advanceTimersByTimeAsync(50));

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

const connected = (subscriptions = ALL) =>
  statusFrame({ status: "connected", connectionId: "c1", subscriptions, organizations: ["o1"] }, "1000");

async function connect(element: ReactNode, subscriptions = ALL): Promise<void> {
  await show(element);
  await act(() => server.last.stream(connected(subscriptions)));
  await settle();
}

async function send(...events: OutboxEvent[]): Promise<void> {
  const frames = events.map((each) => {
    cursor += 1;
    return `id: ${cursor}\nevent: ${each.type}\ndata: ${JSON.stringify({ ...each, id: String(cursor) })}\n\n`;
  });
  await act(() => server.last.send(frames.join("")));
  await settle();
}

const status = async (data: object): Promise<void> => {
  await act(() => server.last.send(statusFrame(data, String(++cursor))));
  await settle();
};

const text = (): string => page.textContent ?? "";

function find(selector: string): HTMLElement {
  const found = page.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`there is no ${selector} in ${page.innerHTML}`);
  return found;
}

function button(name: string | RegExp): HTMLElement {
  const found = [...page.querySelectorAll("button")].find(({ textContent }) =>
    typeof name === "string" ? textContent === name : name.test(textContent ?? ""),
  );
  if (!found) throw new Error(`there is no button ${name} in ${page.innerHTML}`);
  return found;
}

const click = (element: HTMLElement): void => act(() => element.click());

const press = (element: Element, key: string): void =>
  act(() => {
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });

/** What can be judged without layout and colours; the rest is judged in Chromium. */
async function expectAccessible(): Promise<void> {
  vi.useRealTimers();
  const { violations } = await axe.run(page, { rules: { "color-contrast": { enabled: false } } });
  vi.useFakeTimers();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

const document1 = (more: object) =>
  event("document_processing", { documentId: "1", filename: "a.pdf", stage: "ocr", progress: 20, ...more });

const MONITORS: readonly [string, ReactNode, OutboxEvent, string][] = [
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

describe.each(MONITORS)("what follows %s", (type, element, first, shown) => {
  it("says what it waits for, shows what comes, and counts it", async () => {
    await show(element);
    expect(text()).toContain("Connecting");
    expect(find("section").getAttribute("aria-busy")).toBe("true");
    await expectAccessible();

    await act(() => server.last.stream(connected()));
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
    expect(new URL(server.last.url, "http://x").searchParams.get("subscriptions")).toBe(type);
  });

  it("says when the role may not see it", async () => {
    await connect(element, ["invoice_paid"]);
    expect(text()).toContain("Your role may not see these events.");
    await expectAccessible();
  });

  it("keeps what it shows while the stream is cut, and says so", async () => {
    await connect(element);
    await send(first);
    await act(() => server.last.fail());
    await settle();
    expect(text()).toContain("Connection lost.");
    expect(text()).toContain(shown);
    await expectAccessible();
    const attempts = server.exchanges.length;
    click(button("Try now"));
    await settle();
    expect(server.exchanges.length).toBe(attempts + 1);
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
    expect(server.exchanges).toHaveLength(0);
  });
});

describe("rows", () => {
  const users = (count: number) =>
    Array.from({ length: count }, (_, n) => event("user_activity", { userId: `u${n}`, action: "login" }));

  it("are one stop for the Tab key, and arrows move along them", async () => {
    const inspected: string[] = [];
    await connect(<UserActivityFeed onInspect={({ id }) => inspected.push(id)} />);
    await send(...users(3));
    const lines = () => [...page.querySelectorAll<HTMLElement>(".rc-row-line")];
    const stops = () => lines().map(({ tabIndex }) => tabIndex);
    expect(stops()).toEqual([0, -1, -1]);
    act(() => lines()[0]?.focus());
    press(find(":focus"), "ArrowDown");
    press(find(":focus"), "End");
    press(find(":focus"), "ArrowDown");
    expect(lines().indexOf(find(":focus"))).toBe(2);
    expect(stops()).toEqual([-1, -1, 0]);
    press(find(":focus"), "ArrowUp");
    click(find(":focus"));
    expect(inspected).toEqual(["1002"]);
    await expectAccessible();
  });

  it("are no buttons where nobody looks into them", async () => {
    await connect(<UserActivityFeed />);
    await send(...users(1));
    expect(page.querySelectorAll("li button")).toHaveLength(0);
    expect(find("ul").tabIndex).toBe(0);
  });

  it("stay as they are while the mouse is over them", async () => {
    await connect(<UserActivityFeed />);
    await send(...users(1));
    const enter = new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" });
    act(() => {
      find(".rc-body").dispatchEvent(enter);
    });
    await send(event("user_activity", { userId: "later", action: "login" }));
    expect(text()).not.toContain("later");
    expect(text()).toContain("Paused while you read");
    act(() => {
      find(".rc-body").dispatchEvent(new PointerEvent("pointerout", { bubbles: true, pointerType: "mouse" }));
    });
    expect(text()).toContain("later");
  });

  it("are rendered for their own events alone", async () => {
    await connect(
      <>
        <UserActivityFeed />
        <DocumentProcessingMonitor />
      </>,
    );
    await send(...users(2), document1({}));
    const before = [...page.querySelectorAll('[data-type="user_activity"] li')];
    let changes = 0;
    const observer = new MutationObserver((records) => {
      changes += records.length;
    });
    observer.observe(find('[data-type="user_activity"]'), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    await send(document1({ stage: "indexing" }), document1({ stage: "completed" }));
    expect(find(`[data-testid="count-document_processing"]`).textContent).toBe("3");
    expect(changes).toBe(0);
    await send(event("user_activity", { userId: "u3", action: "login" }));
    expect(changes).toBeGreaterThan(0);
    expect([...page.querySelectorAll('[data-type="user_activity"] li')].slice(1)).toEqual(before);
    observer.disconnect();
  });
});

describe("documents", () => {
  it("are found by their stage", async () => {
    await connect(<DocumentProcessingMonitor />);
    await send(
      document1({}),
      document1({ documentId: "2", filename: "b.pdf", stage: "failed", error: "no text" }),
    );
    click(button("1Failed"));
    expect(text()).toContain("no text");
    expect(text()).not.toContain("a.pdf");
    click(button("0Upload"));
    expect(text()).toContain("No document is in this stage now.");
    click(button("Show all"));
    expect(text()).toContain("a.pdf");
    await expectAccessible();
  });

  it("beyond what anybody reads are counted", async () => {
    await connect(<DocumentProcessingMonitor />);
    await send(...Array.from({ length: 250 }, (_, n) => document1({ documentId: `d${n}` })));
    expect(page.querySelectorAll("li")).toHaveLength(100);
    expect(text()).toContain("The newest 100 of 250.");
    expect(button("250OCR")).toBeTruthy();
  });
});

describe("messages", () => {
  const said = (data: object) =>
    event("conversation_activity", { messageId: "1", messageType: "bot_response", ...data });

  it("are written as they come", async () => {
    await connect(<ConversationMonitor />);
    await send(said({ status: "generating" }));
    expect(text()).toContain("Writing");
    await send(said({ status: "generating", content: "It left" }));
    await send(said({ status: "completed", content: "It left today.", responseTime: 1840 }));
    expect(page.querySelectorAll("li")).toHaveLength(1);
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

describe("errors", () => {
  const failed = (more: object) =>
    event("error_notification", { component: "llm_api", severity: "high", message: "429", ...more });

  it("open to what is known of them, and close by Escape", async () => {
    const inspected: string[] = [];
    await connect(<ErrorFeed onInspect={({ id }) => inspected.push(id)} />);
    const known = {
      stackTrace: "at invoke",
      userImpact: "major",
      resolution: "retried",
      sentryIssueId: "CB-1",
    };
    await send(failed(known), failed(known));
    expect(text()).toContain("2 times");
    const line = find(".rc-row-line");
    click(line);
    expect(line.getAttribute("aria-expanded")).toBe("true");
    for (const fact of ["at invoke", "Major", "retried", "CB-1"]) expect(text()).toContain(fact);
    await expectAccessible();
    click(button(/^Event of/));
    expect(inspected).toEqual(["1002"]);
    press(button(/^Event of/), "Escape");
    expect(line.getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(line);
  });

  it("say what may be hidden", async () => {
    await connect(<ErrorFeed />);
    await send(failed({}));
    click(find(".rc-row-line"));
    expect(text()).toContain("No stack trace: none was sent, or it is hidden from your role.");
    expect(text()).not.toContain("Sentry");
  });
});

describe("health", () => {
  it("shows the limit, the advice and the course of states", async () => {
    await connect(<SystemHealthMonitor />);
    const check = (status: string, timestamp: string) =>
      event(
        "system_health",
        {
          component: "database",
          metric: "lag",
          value: 9,
          threshold: 5,
          status,
          recommendation: "look for locks",
        },
        { timestamp },
      );
    await send(check("healthy", "2026-11-23T09:00:00Z"), check("down", "2026-11-23T09:01:00Z"));
    await send(check("down", "2026-11-23T09:03:00Z"));
    for (const shown of ["Down", "for 2 min", "/ 5", "look for locks", "1 of 1 unhealthy"])
      expect(text()).toContain(shown);
    expect(find(".rc-course").getAttribute("aria-label")).toMatch(/^Since .*: healthy, down at /);
    expect(page.querySelectorAll(".rc-course rect")).toHaveLength(2);
    await expectAccessible();
  });

  it("knows by the stream that the database is gone, of which no row can tell", async () => {
    await connect(<SystemHealthMonitor />);
    const check = (component: string) =>
      event("system_health", {
        component,
        metric: "connect_ms",
        value: 2,
        threshold: 1000,
        status: "healthy",
      });
    await send(check("database"), check("llm_api"));
    expect(text()).toContain("All healthy");
    await status({ status: "degraded" });
    for (const shown of ["Down", "The server cannot reach it.", "1 of 2 unhealthy"])
      expect(text()).toContain(shown);
    expect(page.querySelectorAll(".rc-health")).toHaveLength(2);
    await expectAccessible();
    await status({ status: "recovered" });
    expect(text()).toContain("All healthy");
  });
});

describe("alerts", () => {
  it("are told to screen readers, though not two hundred times a second", async () => {
    await connect(<AlertList />);
    const alert = (metric: string, state: string) =>
      event("performance_alert", { metric, value: 1, threshold: 2, status: state, message: metric });
    const told: string[] = [];
    const observer = new MutationObserver(() => told.push(find("[role=status]").textContent ?? ""));
    await send(alert("m", "resolved"));
    observer.observe(find("[role=status]"), { characterData: true, childList: true, subtree: true });
    for (let n = 0; n < 40; n += 1) await send(alert(`m${n}`, "firing"));
    await act(() => vi.advanceTimersByTimeAsync(6000));
    observer.disconnect();
    expect(told.at(-1)).toBe("40 alerts are firing");
    expect(told.length).toBeLessThanOrEqual(2);
  });
});

describe("metrics", () => {
  const figures = (chatbotId: string, cost: number, second: number) =>
    event(
      "chatbot_metrics",
      { cost, responseTime: 900, activeConversations: 3 },
      { chatbotId, timestamp: `2026-11-23T09:00:0${second}Z` },
    );

  it("are drawn over time, and read by the arrow keys", async () => {
    await connect(<MetricsMonitor />);
    await send(figures("b1", 1, 1), figures("b1", 3, 2));
    click(button(/^Cost/));
    await settle();
    const start = Date.parse("2026-11-23T09:00:00Z") / 1000;
    expect(drawn.data.at(-1)).toEqual([
      [start + 1, start + 2],
      [1, 3],
    ]);
    const chart = find("[role=slider]");
    expect(chart.getAttribute("aria-label")).toBe("Cost over time");
    press(chart, "ArrowRight");
    expect(chart.getAttribute("aria-valuetext")).toMatch(/b1 \$3\.00$/);
    press(chart, "ArrowLeft");
    expect(chart.getAttribute("aria-valuetext")).toMatch(/b1 \$1\.00$/);
    expect(find(".rc-tooltip").textContent).toContain("$1.00");
    press(chart, "Escape");
    expect(page.querySelector(".rc-tooltip")).toBeNull();
  });

  it("can be read as a table", async () => {
    await connect(<MetricsMonitor />);
    await send(figures("b1", 1, 1), figures("b2", 2, 2));
    click(button(/^Cost/));
    click(button("Table"));
    expect(text()).toContain("$3.00");
    expect(page.querySelectorAll("tbody tr")).toHaveLength(2);
    click(button("By chatbot"));
    expect([...page.querySelectorAll("thead th")].map(({ textContent }) => textContent)).toEqual([
      "Time",
      "b1",
      "b2",
    ]);
    click(button(/^b2/));
    expect(page.querySelectorAll("thead th")).toHaveLength(2);
    await expectAccessible();
  });
});

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

describe("a list of events", () => {
  const many = Array.from({ length: 30 }, (_, n) => event("user_activity", { n }, { id: String(n) }));

  it("shows the newest, newest first", async () => {
    await show(<EventList events={many} title="Invoices" maxEvents={3} />);
    expect([...page.querySelectorAll("code")].map(({ textContent }) => textContent)).toEqual([
      '{"n":29}',
      '{"n":28}',
      '{"n":27}',
    ]);
    await expectAccessible();
  });

  it("shows ten of them, unless told otherwise", async () => {
    await show(<EventList events={many} title="Invoices" />);
    expect(page.querySelectorAll("li")).toHaveLength(10);
    await show(<EventList events={many} title="Invoices" maxEvents={0} />);
    expect(page.querySelectorAll("li")).toHaveLength(0);
  });

  it("says when there are none", async () => {
    await show(<EventList events={[]} title="Invoices" />);
    expect(text()).toContain("Nothing came so far.");
    await expectAccessible();
  });
});

describe("the dashboard", () => {
  it("shows all of them over one stream, and speaks of the connection once", async () => {
    await connect(<SSEDashboard organizationId="o1" chatbotId="b1" />);
    expect(server.exchanges).toHaveLength(1);
    for (const type of ALL) expect(find(`[data-type="${type}"]`)).toBeTruthy();
    await send(...MONITORS.map(([, , first]) => ({ ...first, chatbotId: "b1" }) as OutboxEvent));
    for (const [, , , shown] of MONITORS) expect(text()).toContain(shown);
    await expectAccessible();
    await act(() => server.last.fail());
    await settle();
    expect(text().match(/Connection lost/g)).toHaveLength(1);
    expect(text()).toContain("Reconnecting");
  });

  it("leaves that to the app around it, if told so", async () => {
    await connect(<SSEDashboard quiet />);
    await act(() => server.last.fail());
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
