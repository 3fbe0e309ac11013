// Every metric that MLflow logs is on the page, once and in order, though MLflow knows nothing of rowcast.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { run } from "../../packaging/commands.js";
import { Example, freePort } from "../examples/example.js";
import { launchBrowser, type Opened, openPage } from "../harness/browser.js";
import { Database } from "../harness/database.js";
import { BINARY, migrate, Server, signToken } from "../harness/server.js";
import { MLflow } from "./mlflow.js";

const example = new Example("mlflow");
let browser: Browser;
let database: Database;
let mlflow: MLflow;
let server: Server;
let opened: Opened;

beforeAll(async () => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  database = await Database.create();
  mlflow = new MLflow(database.url);
  await mlflow.makeTables();
  await migrate(database.url);
  await run(BINARY, ["attach", "public.metrics", "training_metric", "--register"], {
    cwd: ".",
    env: { DATABASE_URL: database.url },
  });
  await database.query("INSERT INTO rowcast.memberships VALUES ('ann', 'research', 'member')");
  server = await Server.start(database.url, { ROWCAST_ALLOWED_ORIGINS: origin });
  await example.install();
  await example.serve("start", [], { PORT: String(port) });
  browser = await launchBrowser();
  opened = await openPage(browser, `${origin}/?rowcast=${server.url}#token=${await signToken("ann")}`);
  await opened.page.locator("#status").getByText("connected", { exact: true }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await example.stop();
  await server?.stop();
  await database?.drop();
  mlflow?.remove();
});

/** A value as the page has it: MLflow's table holds 0 and a mark for what is no number, and the largest number for infinity. */
const figure = (value: number, isNan: boolean) => {
  if (isNan) return "NaN";
  if (Math.abs(value) === Number.MAX_VALUE) return value > 0 ? "∞" : "-∞";
  return String(value);
};

/** What is in the table of MLflow, by series, in the order of the steps. */
async function logged(): Promise<Record<string, string[]>> {
  const rows = await database.query<{ series: string; step: string; value: number; is_nan: boolean }>(
    "SELECT key || ' of ' || run_uuid AS series, step::text, value, is_nan FROM metrics ORDER BY metrics.step",
  );
  const series: Record<string, string[]> = {};
  for (const { series: name, step, value, is_nan } of rows) {
    series[name] = [...(series[name] ?? []), `${step}: ${figure(value, is_nan)}`];
  }
  return series;
}

/** What is on the page, by series, in the order in which it came. */
const shown = () =>
  opened.page
    .locator("section")
    .evaluateAll((sections) =>
      Object.fromEntries(
        sections.map((section) => [
          section.querySelector("h2")?.textContent ?? "",
          [...section.querySelectorAll("li")].map((line) => line.textContent ?? "").reverse(),
        ]),
      ),
    );

it("shows every metric of every step, once and in order", async () => {
  await mlflow.train();
  const expected = await logged();
  expect(Object.keys(expected)).toHaveLength(9);
  expect(Object.values(expected).map((lines) => lines.length)).toEqual(Array(9).fill(40));
  await expect.poll(shown, { timeout: 30_000 }).toEqual(expected);
  // What JSON has no word for was among it.
  const figures = Object.values(expected).flat();
  for (const special of ["NaN", "∞", "-∞"]) {
    expect(figures.filter((line) => line.endsWith(`: ${special}`)).length).toBeGreaterThan(0);
  }
  expect(opened.faults).toEqual([]);
});

it("misses and repeats nothing when the server dies in the middle of a training", async () => {
  const before = Object.keys(await logged()).length;
  const training = mlflow.train();
  const rows = async () => (await database.query("SELECT FROM metrics")).length;
  await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(before * 40 + 30);
  await server.kill();
  await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(before * 40 + 90);
  await server.restart();
  await training;
  const expected = await logged();
  expect(Object.keys(expected)).toHaveLength(before + 9);
  await expect.poll(shown, { timeout: 30_000 }).toEqual(expected);
});

it("sends numbers exactly, and keys of all that makes a row one", async () => {
  // Further than JavaScript counts.
  const step = "9007199254740993";
  await mlflow.log("patience", "0.1", step);
  await expect.poll(async () => Object.values(await shown()).flat()).toContain(`${step}: 0.1`);

  const events = await database.query<{ key: string; data: Record<string, unknown> }>(
    "SELECT source_key AS key, data FROM rowcast.outbox WHERE event_type = 'training_metric'",
  );
  for (const { key, data } of events) {
    const { timestamp, run_uuid, value, is_nan } = data;
    expect(JSON.parse(key)).toEqual([data.key, timestamp, data.step, run_uuid, value, is_nan]);
  }
  const rows = await database.query<Record<string, unknown>>("SELECT * FROM metrics");
  const comparable = (data: Record<string, unknown>) =>
    [data.run_uuid, data.key, data.step, data.timestamp, data.value, data.is_nan].join(" ");
  expect(events.map(({ data }) => comparable(data)).sort()).toEqual(rows.map(comparable).sort());
});
