import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Connection, ConnectionState } from "../connection.js";
import { FakeBrowser, type Page, pass } from "../testing/browser.js";
import { Ledger } from "../testing/ledger.js";
// Loaded before time stands still.
import "./page.js";
import { connectTabs, type TabsOptions } from "./connect.js";

let server: Ledger;
let browser: FakeBrowser;
let apps: App[];

interface App {
  readonly page: Page;
  readonly connection: Connection;
  readonly ids: number[];
  readonly resets: string[];
  readonly states: ConnectionState[];
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new Ledger();
  browser = new FakeBrowser(server.fetch);
  apps = [];
});

afterEach(async () => {
  for (const { page, connection } of apps) {
    if (!page.isAlive) continue;
    if (page.isFrozen) page.thaw();
    connection.close();
  }
  await pass(0);
  expect(server.streams.size).toBe(0);
  expect(browser.held.size + browser.waiting.length + browser.ears.size).toBe(0);
  expect(apps.filter(({ page }) => page.isAlive && page.listeners > 0)).toEqual([]);
  expect(apps.flatMap(({ page }) => page.faults)).toEqual([]);
  vi.useRealTimers();
});

async function open(options: TabsOptions = {}): Promise<App> {
  const page = browser.open();
  const ids: number[] = [];
  const resets: string[] = [];
  const states: ConnectionState[] = [];
  const handlers = {
    onEvent: ({ id }: { id: string }) => ids.push(Number(id)),
    onState: (state: ConnectionState) => states.push(state),
    onReset: (reason: string) => resets.push(reason),
  };
  const connection = connectTabs({ tabs: "u1", ...options }, handlers, page.environment, page.tabs);
  const app = { page, connection, ids, resets, states };
  apps.push(app);
  await pass(20);
  return app;
}

const roles = () => apps.map(({ connection }) => connection.state.role);
const statuses = () => apps.map(({ connection }) => connection.state.status);
const every = <T>(value: T): T[] => apps.map(() => value);
const received = () => apps.map(({ ids }) => ids);

async function write(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) server.write("system_health");
  await pass(20);
}

describe("sharing", () => {
  it("takes one stream for all, and each has each event once", async () => {
    for (let n = 0; n < 8; n += 1) await open();
    await write(3);
    expect(server.streams.size).toBe(1);
    expect(statuses()).toEqual(every("connected"));
    expect(roles()).toEqual(["leader", ...Array(7).fill("follower")]);
    expect(received()).toEqual(every([1, 2, 3]));
    expect(apps.map(({ connection }) => connection.state.cursor)).toEqual(every("3"));
    expect([server.polls, server.opened]).toEqual([0, 1]);
  });

  it("is of one user and one endpoint", async () => {
    await open({ tabs: "u1" });
    await open({ tabs: "u2" });
    await open({ tabs: "u1", url: "https://other.example/sse" });
    expect(server.streams.size).toBe(3);
  });

  it("goes by whom the token names, and never opens the stream of one user for another", async () => {
    const token = (sub: string) => `e30.${btoa(JSON.stringify({ sub }))}.sig`;
    let user = "u1";
    const named = { tabs: undefined, token: () => token(user) };
    await open(named);
    await open(named);
    expect(server.streams.size).toBe(1);
    user = "u2";
    await open(named);
    expect(server.streams.size).toBe(2);
    server.cut();
    await pass(1_500);
    expect(statuses()).toEqual(["error", "error", "connected"]);
    expect(apps[0]?.connection.state.error?.message).toMatch(/another user/);
  });

  it("is of one user also where a page gives all of them the same name", async () => {
    const token = (sub: string) => `e30.${btoa(JSON.stringify({ sub }))}.sig`;
    let user = "u1";
    const named = { tabs: "the app", token: () => token(user) };
    await open(named);
    await open(named);
    user = "u2";
    await open(named);
    expect([server.streams.size, roles()]).toEqual([2, ["leader", "follower", "leader"]]);
    server.cut();
    await pass(1_500);
    expect(statuses()).toEqual(["error", "error", "connected"]);
  });

  it("goes by the name alone where the token does not say whose it is", async () => {
    await open({ token: () => "opaque" });
    await open({ token: () => "another" });
    expect([server.streams.size, roles()]).toEqual([1, ["leader", "follower"]]);
  });

  it("is not possible without a name for the user: each has its own stream", async () => {
    await open({ tabs: undefined });
    await open({ tabs: undefined, token: () => "opaque" });
    await open({ tabs: undefined, token: () => Promise.reject(new Error("offline")) });
    expect(roles()).toEqual(every("alone"));
    expect(server.streams.size).toBe(2);
  });

  it("covers what any tab wants, and each is told what it wants", async () => {
    await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["user_activity", "system_health"] });
    await open({ subscriptions: ["error_notification"] });
    expect(statuses()).toEqual(every("connected"));
    for (const type of ["system_health", "user_activity", "error_notification", "chatbot_metrics"] as const)
      server.write(type);
    await pass(20);
    expect(received()).toEqual([[1], [1, 2], [3]]);
    expect(server.streams.size).toBe(1);
  });

  it("covers no more once the tabs that wanted it have gone", async () => {
    await open({ subscriptions: ["system_health"] });
    const other = await open({ subscriptions: ["user_activity"] });
    const crashed = await open({ subscriptions: ["error_notification"] });
    other.connection.close();
    crashed.page.crash();
    await pass(31_000);
    expect([...server.streams].map(({ types }) => types)).toEqual(["system_health"]);
  });
});

describe("a tab that joins later", () => {
  it("begins now, or where it was", async () => {
    await open();
    await write(3);
    await open();
    await open({ lastEventId: "1" });
    await write(1);
    expect(received()).toEqual([[1, 2, 3, 4], [4], [2, 3, 4]]);
    expect(server.streams.size).toBe(1);
  });

  it("reads on where its storage says, and keeps its own place there", async () => {
    let kept = "2";
    await open();
    await write(3);
    await open({ storage: { read: () => kept, write: (cursor) => (kept = cursor) } });
    await write(1);
    await pass(1_000);
    expect([received()[1], kept]).toEqual([[3, 4], "4"]);
  });

  it("waits for a poll that another instance answers which is behind", async () => {
    await open();
    await write(5);
    server.behind = 4;
    await open({ lastEventId: "1" });
    await write(1);
    await pass(5_000);
    expect(received()).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 3, 4, 5, 6],
    ]);
  });

  it("says so when it cannot catch up, and tries again when asked", async () => {
    await open();
    await write(3);
    server.status = 403;
    const late = await open({ lastEventId: "1" });
    expect(statuses()).toEqual(["connected", "error"]);
    await write(1);
    expect(late.connection.state.error?.kind).toBe("forbidden");
    server.status = undefined;
    late.connection.reconnect();
    await pass(20);
    expect([late.connection.state.status, late.ids]).toEqual(["connected", [2, 3, 4]]);
  });
});

describe("another tab takes over", () => {
  it.each(["closes", "crashes", "is put away"])("when the leader %s", async (how) => {
    for (let n = 0; n < 4; n += 1) await open();
    await write(2);
    const [leader] = apps;
    if (how === "closes") leader?.connection.close();
    else if (how === "crashes") leader?.page.crash();
    else leader?.page.putAway();
    server.write("system_health");
    await write(2);
    expect(received()).toEqual([[1, 2], ...Array(3).fill([1, 2, 3, 4, 5])]);
    expect(roles().slice(1)).toEqual(["leader", "follower", "follower"]);
    expect(server.streams.size).toBe(1);
    if (how !== "is put away") return;
    leader?.page.bringBack();
    await pass(20);
    expect([received()[0], roles()[0]]).toEqual([[1, 2, 3, 4, 5], "follower"]);
  });

  it("when the leader hangs, and somebody looks; the one who hung follows then", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    await write(1);
    apps[0]?.page.freeze();
    for (const { page } of apps) page.isVisible = false;
    await pass(200_000);
    expect(server.streams.size).toBe(1);
    await write(2);
    const visible = apps[2]?.page;
    if (visible) visible.isVisible = true;
    visible?.wake();
    await pass(11_000);
    expect(roles()).toEqual(["leader", "follower", "leader"]);
    await write(1);
    expect(received()).toEqual([[1], [1, 2, 3, 4], [1, 2, 3, 4]]);
    apps[0]?.page.thaw();
    await pass(20);
    expect(roles()).toEqual(["follower", "follower", "leader"]);
    await write(1);
    expect(received()).toEqual(every([1, 2, 3, 4, 5]));
    expect(server.streams.size).toBe(1);
  });

  it("but not from one that is only waiting for its server", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    server.status = 503;
    server.cut();
    await pass(600_000);
    expect(roles()).toEqual(["leader", "follower", "follower"]);
    expect(statuses()).toEqual(every("reconnecting"));
    server.status = undefined;
    apps[2]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
  });

  it("when the token of the leader is not good any more, and that of another is", async () => {
    let isGood = true;
    const token = vi.fn(() => (isGood ? "t1" : null));
    await open({ token });
    await open({ token: () => "t2" });
    isGood = false;
    server.cut();
    await pass(2_000);
    expect(roles()).toEqual(["follower", "leader"]);
    expect(statuses()).toEqual(every("connected"));
    await write(1);
    expect(received()).toEqual(every([1]));
  });

  it("and if nobody's is, all say so until one is asked to try again", async () => {
    let given: string | null = "t";
    for (let n = 0; n < 3; n += 1) await open({ token: () => given });
    given = null;
    server.cut();
    await pass(200_000);
    expect(statuses()).toEqual(every("error"));
    expect(apps[1]?.connection.state.error?.kind).toBe("unauthorized");
    given = "t";
    apps[1]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
    await write(1);
    expect(received()).toEqual(every([1]));
  });
});

describe("what the server says", () => {
  it("ends all of them when the user's streams were ended", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    server.say({ status: "closing", reason: "disconnected" });
    await pass(0);
    server.cut();
    await pass(200_000);
    expect(statuses()).toEqual(every("error"));
    expect(apps.map(({ connection }) => connection.state.error?.kind)).toEqual(every("disconnected"));
    expect(server.opened).toBe(1);
    apps[1]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(["error", "connected", "error"]);
  });

  it("is refused to the tab that asked for it alone", async () => {
    server.forbidden = ["user_activity"];
    await open({ subscriptions: ["system_health"] });
    const greedy = await open({ subscriptions: ["user_activity"] });
    expect(statuses()).toEqual(["connected", "error"]);
    const { opened } = server;
    for (let n = 0; n < 10; n += 1) {
      await pass(15_000);
      server.heartbeat();
    }
    // It is told once, and nobody asks again.
    expect([greedy.connection.state.error?.kind, server.opened - opened]).toEqual(["forbidden", 0]);
    server.forbidden = [];
    greedy.connection.reconnect();
    await pass(20);
    server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[2], [1]]);
  });

  it("does not take a stream from all when what one of them wants is forbidden from now on", async () => {
    await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["user_activity"] });
    await open({ subscriptions: ["system_health"] });
    server.forbidden = ["user_activity"];
    server.cut();
    await pass(3_000);
    expect(statuses()).toEqual(["connected", "error", "connected"]);
    await write(1);
    expect(received()).toEqual([[1], [], [1]]);
  });

  it("resets each tab that has missed what is gone, and no other", async () => {
    await open();
    await open();
    await write(4);
    const [leader, follower] = apps;
    leader?.page.freeze();
    server.cut(leader?.page);
    if (follower) follower.connection.reconnect();
    await pass(70_000);
    await write(3);
    server.expired = 6;
    leader?.page.thaw();
    await pass(2_000);
    await write(1);
    expect(apps.map(({ resets }) => resets)).toEqual([["history_expired"], []]);
    expect(received()).toEqual([
      [1, 2, 3, 4, 8],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]);
  });

  it("is degraded and recovered for all", async () => {
    await open();
    await open();
    server.say({ status: "degraded" });
    await pass(20);
    expect(apps.map(({ connection }) => connection.state.degraded)).toEqual(every(true));
  });
});

describe("want", () => {
  it("of a follower is in force once it resolves, and other tabs notice nothing", async () => {
    await open({ subscriptions: ["system_health"] });
    const app = await open({ subscriptions: ["system_health"] });
    const seen = apps[0]?.states.length ?? 0;
    const done = app.connection.want({ subscriptions: ["system_health", "user_activity"] });
    await pass(20);
    await done;
    server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[2], [1, 2]]);
    expect(apps[0]?.states.slice(seen).map(({ status }) => status)).not.toContain("reconnecting");
    await app.connection.want({ subscriptions: ["user_activity"] });
    server.write("user_activity");
    await write(1);
    expect(received()).toEqual([
      [2, 4],
      [1, 2, 3],
    ]);
  });

  it("since a cursor begins there, repeats nothing, and keeps the order of a row", async () => {
    for (const _ of [0, 1]) await open({ subscriptions: ["system_health"] });
    for (let n = 0; n < 5; n += 1) server.write(n % 2 ? "system_health" : "user_activity", 7);
    await pass(20);
    const wide = { subscriptions: ["system_health", "user_activity"] } as const;
    for (const { connection } of apps) void connection.want(wide, { since: "1" });
    server.write("user_activity", 7);
    await pass(20);
    await write(1);
    expect(received()).toEqual(every([2, 4, 3, 5, 6, 7]));
  });

  it("that is refused changes nothing", async () => {
    server.forbidden = ["user_activity"];
    for (const _ of [0, 1]) await open({ subscriptions: ["system_health"] });
    for (const { connection } of apps) {
      const refused = expect(connection.want({ subscriptions: ["user_activity"] })).rejects.toThrow("403");
      await pass(20);
      await refused;
    }
    await write(1);
    expect(received()).toEqual(every([1]));
    expect(statuses()).toEqual(every("connected"));
  });

  it("survives a change of the leader", async () => {
    await open({ subscriptions: ["system_health"] });
    const app = await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["system_health"] });
    server.status = 503;
    const done = app.connection.want({ subscriptions: ["user_activity"] });
    await pass(20);
    apps[0]?.page.crash();
    server.status = undefined;
    await pass(5_000);
    await done;
    server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[], [1], [2]]);
  });
});

describe("a message that is lost", () => {
  it("is noticed, and what it told is fetched", async () => {
    await open();
    await open();
    await write(1);
    browser.drops = () => true;
    await write(2);
    browser.drops = () => false;
    await write(1);
    expect(received()).toEqual(every([1, 2, 3, 4]));
    expect(server.polls).toBeGreaterThan(0);
  });

  it("is told again when it was what a tab wants", async () => {
    await open({ subscriptions: ["system_health"] });
    browser.drops = ({ kind }) => kind === "hello";
    await open({ subscriptions: ["user_activity"] });
    browser.drops = () => false;
    await pass(11_000);
    await write(1);
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
    server.write("user_activity");
    await pass(20);
    expect(received()).toEqual([[1], [2]]);
  });
});

it("ends when the app closes it, and goes on where it was", async () => {
  await open();
  const app = await open();
  await write(1);
  app.connection.close();
  expect(app.connection.state).toMatchObject({ status: "disconnected", cursor: "1" });
  await write(2);
  app.connection.reconnect();
  await pass(20);
  expect(received()).toEqual(every([1, 2, 3]));
});

describe("a browser that keeps things from pages", () => {
  it("has a connection of its own where channels are forbidden", async () => {
    const page = browser.open();
    const tabs = {
      ...page.tabs,
      channel: () => {
        throw new DOMException("the operation is insecure", "SecurityError");
      },
    };
    const handlers = { onEvent() {}, onState() {}, onReset() {} };
    const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, tabs);
    await pass(20);
    expect(connection.state).toMatchObject({ status: "connected", role: "alone" });
    connection.close();
    await pass(0);
    expect(page.listeners).toBe(0);
  });

  it("is led without knowing who is there", async () => {
    const app = await open({ subscriptions: ["system_health"] });
    app.page.locks.query = () => Promise.reject(new DOMException("denied", "SecurityError"));
    const other = await open({ subscriptions: ["user_activity"] });
    await pass(31_000);
    expect([...server.streams].map(({ types }) => types)).toEqual(["system_health,user_activity"]);
    app.page.locks.query = other.page.locks.query;
    other.connection.close();
    await pass(31_000);
    expect([...server.streams].map(({ types }) => types)).toEqual(["system_health"]);
  });
});

it("says that it is connecting while nobody knows yet whose stream it is", async () => {
  const app = await open({ tabs: undefined, token: () => new Promise(() => {}) });
  expect(app.states.at(-1)?.status).toBe("connecting");
  app.connection.close();
  expect(app.states.at(-1)?.status).toBe("disconnected");
});

it("tries again when somebody looks at a tab, whichever has given up", async () => {
  const leader = await open({ maxReconnectAttempts: 1 });
  const looked = await open({ maxReconnectAttempts: 1 });
  server.status = 503;
  server.cut();
  await pass(20_000);
  expect(statuses()).toEqual(["error", "error"]);
  leader.page.isVisible = false;
  server.status = undefined;
  looked.page.wake();
  await pass(2_000);
  expect(statuses()).toEqual(["connected", "connected"]);
});

it("refuses what cannot be wanted, as a connection of its own would", async () => {
  const { connection } = await open();
  await expect(connection.want({ subscriptions: [] })).rejects.toMatchObject({ kind: "refused" });
  await expect(connection.want({}, { since: "yesterday" })).rejects.toMatchObject({ kind: "refused" });
});

it("goes on catching up when a page is never answered", async () => {
  await open();
  await write(3);
  let polls = 0;
  const late = browser.open();
  const environment = {
    ...late.environment,
    fetch: (url: string, init: RequestInit) => {
      if (url.includes("/events")) polls += 1;
      if (!url.includes("/events") || polls > 1) return late.environment.fetch(url, init);
      return new Promise<Response>((_, reject) =>
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
      );
    },
  };
  const ids: number[] = [];
  const onEvent = ({ id }: { id: string }) => ids.push(Number(id));
  const handlers = { onEvent, onState() {}, onReset() {} };
  const connection = connectTabs({ tabs: "u1", lastEventId: "1" }, handlers, environment, late.tabs);
  await pass(20);
  await write(1);
  await pass(60_000);
  expect(ids).toEqual([2, 3, 4]);
  connection.close();
  expect(late.listeners).toBe(0);
});

it("may be asked to try again by an app that is told of its failure", async () => {
  await open({ maxReconnectAttempts: 0 });
  const page = browser.open();
  let [asked, within, deepest] = [0, 0, 0];
  const onState = ({ status }: ConnectionState) => {
    if (status !== "error" || asked > 50) return;
    asked += 1;
    within += 1;
    deepest = Math.max(deepest, within);
    if (asked === 3) server.status = undefined;
    connection.reconnect();
    within -= 1;
  };
  const handlers = { onEvent() {}, onState, onReset() {} };
  const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, page.tabs);
  await pass(20);
  server.status = 503;
  server.cut();
  await pass(5_000);
  expect(deepest).toBe(1);
  expect(connection.state.status).toBe("connected");
  connection.close();
});

it("hands out nothing once it is closed, and what is left when it is opened again", async () => {
  const writer = await open();
  const page = browser.open();
  const ids: number[] = [];
  const onEvent = ({ id }: { id: string }) => {
    ids.push(Number(id));
    if (ids.length === 1) connection.close();
  };
  const handlers = { onEvent, onState() {}, onReset() {} };
  const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, page.tabs);
  await pass(20);
  server.splits = true;
  await write(3);
  server.heartbeat();
  await pass(20);
  expect([ids, writer.ids]).toEqual([[1], [1, 2, 3]]);
  connection.reconnect();
  await pass(5_000);
  await write(1);
  server.heartbeat();
  await pass(5_000);
  expect(ids).toEqual([1, 2, 3, 4]);
  connection.close();
});

it("says that a wish is in force when the stream is there, and not before", async () => {
  await open({ subscriptions: ["system_health", "user_activity"] });
  const other = await open({ subscriptions: ["system_health"] });
  server.status = 503;
  server.cut();
  await pass(20);
  let isInForce = false;
  void other.connection.want({ subscriptions: ["user_activity"] }).then(() => {
    isInForce = true;
  });
  await pass(10_000);
  expect(isInForce).toBe(false);
  server.status = undefined;
  await pass(30_000);
  expect([isInForce, statuses()]).toEqual([true, ["connected", "connected"]]);
});

it("takes no name for the name of nobody", async () => {
  await open({ tabs: "" });
  await open({ tabs: "" });
  expect([roles(), server.streams.size]).toEqual([["alone", "alone"], 2]);
});
