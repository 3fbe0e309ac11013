// The core in a page of another origin, against the real server: across reloads, with tokens that end, and without
// streaming `fetch`.

import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Pages } from "./harness/pages.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";
import { Watched } from "./harness/watched.js";

let pages: Pages;
let watched: Watched;

beforeAll(async () => {
  pages = await Pages.serve();
});
afterAll(() => pages.close());
afterEach(async () => {
  expect(watched.faults).toEqual([]);
  await watched.close();
});

const stage = setStage(() => ({ ROWCAST_ALLOWED_ORIGINS: pages.origin }));

const opening = async (...validFor: string[]) => ({
  server: stage.server.url,
  tokens: await Promise.all(validFor.map((span) => signToken("u1", span))),
});

const byId = (a: string, b: string) => Number(a) - Number(b);

it("resumes where the page before has left off", async () => {
  watched = await Watched.open(stage.browser, pages);
  const options = { ...(await opening("1h")), storage: "where" };
  await watched.connect(options);
  await watched.is({ status: "connected" });
  await stage.database.insertDocuments("before-", 5);
  await watched.countIs(5);
  const before = await watched.ids();

  await watched.page.goto("about:blank");
  await stage.database.insertDocuments("meanwhile-", 5);
  await watched.page.goto(`${pages.origin}/core.html`);
  await watched.connect(options);
  await watched.countIs(5);
  await stage.database.insertDocuments("after-", 5);
  await watched.countIs(10);
  expect([...before, ...(await watched.ids())]).toEqual(await stage.database.outboxIds());
});

it("keeps its stream open with a new token in time", async () => {
  watched = await Watched.open(stage.browser, pages);
  // Less than a minute: the server tells at once.
  await watched.connect(await opening("8s", "1h"));
  await watched.is({ status: "connected" });
  const { connectionId } = await watched.state();
  await watched.page.waitForFunction(() => {
    const { expiresAt = null } = window.rowcast.watched?.connection.state ?? {};
    return expiresAt !== null && Date.parse(expiresAt) > Date.now() + 60_000;
  });
  // The end of the first token, of which nothing is to be noticed.
  await watched.page.waitForFunction(() => {
    const first = window.rowcast.watched?.states.find(({ expiresAt }) => expiresAt !== null);
    return Date.now() > Date.parse(first?.expiresAt ?? "") + 1_000;
  });
  await stage.database.insertDocuments("after-", 3);
  await watched.countIs(3);
  expect(await watched.state()).toMatchObject({ status: "connected", reconnects: 0, connectionId });
});

it("comes back with a new token when there was none in time", async () => {
  watched = await Watched.open(stage.browser, pages);
  const [short = "", long = ""] = (await opening("4s", "1h")).tokens;
  await watched.connect({ server: stage.server.url, tokens: [short, short, long] });
  await watched.is({ status: "connected" });
  await stage.database.insertDocuments("before-", 3);
  await watched.is({ status: "connected", reconnects: 1 });
  await stage.database.insertDocuments("after-", 3);
  await watched.countIs(6);
  expect(await watched.ids()).toEqual(await stage.database.outboxIds());
});

it("is told of other types without another stream, from where they begin", async () => {
  await stage.database.query(`
    CREATE TABLE actions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
    SELECT rowcast.attach('actions', 'user_activity', organization_id => $$'o1'$$,
      data => $$jsonb_build_object('userId', 'u1', 'action', r.name)$$)`);
  watched = await Watched.open(stage.browser, pages);
  await watched.connect({ ...(await opening("1h")), subscriptions: ["document_processing"] });
  await watched.is({ status: "connected" });
  const [row] = await stage.database.query<{ since: string }>("SELECT rowcast.current_cursor() AS since");
  await stage.database.query("INSERT INTO actions (name) VALUES ('before it was wanted')");
  await stage.database.insertDocuments("shown-", 2);
  await watched.countIs(2);
  await watched.page.evaluate(
    (since) =>
      window.rowcast.watched?.connection.want(
        { subscriptions: ["document_processing", "user_activity"] },
        { since },
      ),
    row?.since,
  );
  await watched.countIs(3);
  await stage.database.query("INSERT INTO actions (name) VALUES ('after')");
  await watched.countIs(4);
  expect((await watched.ids()).toSorted(byId)).toEqual(await stage.database.outboxIds());
  expect(await watched.state()).toMatchObject({ reconnects: 0, duplicates: 0 });

  const refusal = await watched.page.evaluate(() =>
    window.rowcast.watched?.connection
      .want({ subscriptions: ["no_such_type" as "user_activity"] })
      .catch((error) => error.code),
  );
  expect(refusal).toBe("unknown_event_type");
  await stage.database.insertDocuments("still-", 1);
  await watched.countIs(5);
  expect(await watched.state()).toMatchObject({ status: "connected", reconnects: 0 });
});

it("uses the browser's EventSource where answers cannot be read as they come", async () => {
  watched = await Watched.open(stage.browser, pages, () => {
    Reflect.deleteProperty(Response.prototype, "body");
  });
  await watched.connect(await opening("1h"));
  await watched.is({ status: "connected", transport: "eventsource" });
  await stage.database.insertDocuments("before-", 5);
  await watched.countIs(5);
  await stage.server.kill();
  await stage.database.insertDocuments("meanwhile-", 5);
  await watched.is({ status: "reconnecting" });
  await stage.server.restart();
  await watched.changeNetwork();
  await watched.countIs(10);
  await stage.database.insertDocuments("after-", 5);
  await watched.countIs(15);
  expect(await watched.ids()).toEqual(await stage.database.outboxIds());
  expect(await watched.state()).toMatchObject({ transport: "eventsource" });
});
