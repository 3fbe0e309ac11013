import { beforeEach, expect, it } from "vitest";
import { type Connect, type ConnectionHandlers, type ConnectionState, initialState } from "../connection.js";
import type { OutboxEvent } from "../protocol.js";
import { FakeBrowser } from "../testing/browser.js";
import type { Fact } from "./news.js";
import { Strand } from "./strand.js";

let handlers: ConnectionHandlers;
let facts: Fact[];
let strand: Strand;

const { environment } = new FakeBrowser(() => Promise.reject(new Error("no network"))).open();

const open: Connect = (_, given) => {
  handlers = given;
  // What comes while it is being made is no fact yet.
  given.onState?.(initialState);
  return { state: initialState, reconnect: () => {}, close: () => {}, want: () => Promise.resolve() };
};

beforeEach(() => {
  facts = [];
  const start = { interest: {}, cursor: "10", life: "1" };
  strand = new Strand(
    start,
    {},
    open,
    environment,
    () => "2",
    (fact) => facts.push(fact),
  );
});

/** A read of the stream: these events, and where it left off. */
function read(cursor: string, ...ids: number[]): Omit<Fact, "covers" | "events"> & { events: string[] } {
  for (const id of ids) handlers.onEvent({ id: String(id), type: "system_health" } as OutboxEvent);
  handlers.onState?.({ ...initialState, cursor } as ConnectionState);
  const fact = facts.at(-1);
  if (!fact) throw new Error("nothing was told");
  const { from, to, life, events } = fact;
  return { from, to, life, events: events.map(({ id }) => id) };
}

it("tells a read as a fact, and a heartbeat as one in which nothing moves", () => {
  expect(read("12", 11, 12)).toEqual({ from: "10", to: "12", life: "1", events: ["11", "12"] });
  expect(read("12")).toEqual({ from: "12", to: "12", life: "1", events: [] });
  expect(facts).toHaveLength(2);
});

it("tells events with the cursor that claims them", () => {
  expect(read("10", 11).events).toEqual([]);
  expect(read("12", 12)).toEqual({ from: "10", to: "12", life: "1", events: ["11", "12"] });
  expect(read("13", 13).events).toEqual(["13"]);
});

it("tells them again until a cursor claims them", () => {
  expect(read("11", 11, 12).events).toEqual(["11", "12"]);
  expect(read("20~12-15", 20).events).toEqual(["12", "20"]);
  expect(read("21", 21)).toMatchObject({ from: "20~12-15", events: ["12", "21"] });
  expect(read("22", 22).events).toEqual(["22"]);
});

it("breaks off where a cursor was of no use, or the database began another life", () => {
  handlers.onReset("history_expired");
  expect(read("90", 90)).toEqual({ from: "90", to: "90", life: "2", events: [] });
  expect(read("91@1", 91)).toEqual({ from: "91@1", to: "91@1", life: "2", events: [] });
  expect(strand.start).toMatchObject({ cursor: "91@1", life: "2" });
  expect(read("92@1", 92).events).toEqual(["92"]);
});

it("tells nothing once it is closed", () => {
  strand.close();
  handlers.onState?.({ ...initialState, cursor: "11" });
  expect(facts).toEqual([]);
});
