import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Interest } from "../connection.js";
import { RowcastError } from "../errors.js";
import type { EventType, OutboxEvent } from "../protocol.js";
import { FakeBrowser, pass } from "../testing/browser.js";
import { Feed } from "./feed.js";
import type { Fact } from "./news.js";
import type { AskPage, Page } from "./page.js";

let had: string[];
let asked: string[];
/** What the server answers, one after the other. */
let answers: (Page | Error)[];

const ask: AskPage = async ({ subscriptions }, after) => {
  asked.push(subscriptions ? `${after} ${subscriptions}` : after);
  const answer = answers.shift();
  if (!answer) throw new Error("nobody was to ask for that");
  if (answer instanceof Error) throw answer;
  return answer;
};

beforeEach(() => {
  vi.useFakeTimers();
  had = [];
  asked = [];
  answers = [];
});
afterEach(() => {
  expect(answers).toEqual([]);
  vi.useRealTimers();
});

function feedAt(cursor: string, interest: Interest = {}): Feed {
  const { environment } = new FakeBrowser(() => Promise.reject(new Error("no network"))).open();
  const output = {
    onEvent: ({ id }: OutboxEvent) => had.push(id),
    onReset: (reason: string) => had.push(reason),
    onChange: () => {},
  };
  const feed = new Feed({ cursor, interest }, output, ask, environment);
  if (cursor !== "") feed.life = "1";
  return feed;
}

const events = (ids: readonly number[], type: EventType = "system_health") =>
  ids.map((id) => ({ id: String(id), type }) as OutboxEvent);

const fact = (from: string, to: string, ids: readonly number[], life = "1"): Fact => ({
  from,
  to,
  events: events(ids),
  life,
  covers: {},
});

describe("a fact", () => {
  it("is where a tab begins that was nowhere", () => {
    const feed = feedAt("");
    feed.take(fact("10", "12", [11, 12]));
    expect([had, feed.cursor, feed.caughtUp]).toEqual([["11", "12"], "12", true]);
  });

  it("is where a tab begins, from the first event of a stream that began at the head", () => {
    const feed = feedAt("");
    feed.take(fact("", "12", [12]));
    feed.take(fact("12", "13", [13]));
    expect([had, feed.cursor]).toEqual([["12", "13"], "13"]);
  });

  it("that is known, partly or wholly, repeats nothing and takes nothing back", () => {
    const feed = feedAt("10");
    feed.take(fact("10", "12", [11, 12]));
    feed.take(fact("9", "11", [10, 11]));
    feed.take(fact("11", "13", [12, 13]));
    expect([had, feed.cursor]).toEqual([["11", "12", "13"], "13"]);
  });

  it("brings what committed late", () => {
    const feed = feedAt("10");
    feed.take(fact("10", "13~11", [12, 13]));
    feed.take(fact("13~11", "13", [11]));
    expect(had).toEqual(["12", "13", "11"]);
  });

  it("joins another tab's gaps with its own", () => {
    const feed = feedAt("12~10");
    feed.take(fact("11~10", "13~12", [10, 13]));
    expect([had, feed.cursor]).toEqual([["10", "13"], "13"]);
  });

  it("waits behind what the server is asked for, and in order", async () => {
    const feed = feedAt("10");
    answers = [{ events: events([11, 12, 13]), cursor: "13" }];
    feed.take(fact("12", "14", [13, 14]));
    feed.take(fact("14", "15", [15]));
    expect([had, feed.caughtUp]).toEqual([[], false]);
    await pass(0);
    expect([asked, had, feed.cursor, feed.caughtUp]).toEqual([
      ["10"],
      ["11", "12", "13", "14", "15"],
      "15",
      true,
    ]);
  });

  it("too many of which wait is asked for too", async () => {
    const feed = feedAt("10");
    answers = [
      { events: events([11]), cursor: "11" },
      { events: events([12]), cursor: "3000" },
    ];
    for (let id = 20; id < 3000; id += 1) feed.take(fact(`${id}`, `${id + 1}`, [id + 1]));
    await pass(0);
    expect([asked, had, feed.cursor]).toEqual([["10", "11"], ["11", "12"], "3000"]);
  });
});

describe("asking", () => {
  it("goes on after what passes, and stops at what does not until it is told to", async () => {
    const feed = feedAt("10");
    answers = [new TypeError("network"), new RowcastError("limited", "slow down", { retryAfter: 5_000 })];
    feed.take(fact("12", "13", [13]));
    await pass(1_000);
    expect(asked).toEqual(["10", "10"]);
    answers = [new RowcastError("forbidden", "no")];
    await pass(6_000);
    expect(feed.error?.kind).toBe("forbidden");
    feed.take(fact("13", "14", [14]));
    await pass(60_000);
    answers = [{ events: events([11, 12]), cursor: "12" }];
    feed.retry();
    await pass(0);
    expect([feed.error, had]).toEqual([null, ["11", "12", "13", "14"]]);
  });

  it("does not wait for ever for what nobody else knows", async () => {
    const feed = feedAt("10");
    answers = [{ events: [], cursor: "10" }];
    feed.take(fact("900", "901", [901]));
    feed.take(fact("10", "11", [11]));
    await pass(1_000);
    expect([had, feed.caughtUp]).toEqual([["11"], true]);
  });

  it("is what a new life of the stream takes, even where the numbers would fit", async () => {
    const feed = feedAt("50");
    answers = [{ events: [], cursor: "12", reset: "cursor_ahead" }];
    feed.take(fact("12", "12", [], "2"));
    feed.take(fact("12", "13", [13], "2"));
    await pass(0);
    expect([asked, had, feed.cursor]).toEqual([["50"], ["cursor_ahead", "13"], "13"]);
  });

  it("leads over into another life of the database, where the same ids are other events", async () => {
    const feed = feedAt("10");
    feed.take(fact("10", "12", [11, 12]));
    answers = [{ events: events([12]), cursor: "12@1" }];
    feed.take(fact("12@1", "12@1", [], "2"));
    await pass(0);
    feed.take(fact("12@1", "13@1", [13], "2"));
    expect([had, feed.cursor]).toEqual([["11", "12", "12", "13"], "13@1"]);
  });
});

describe("a replay", () => {
  it("reads what is new from where it is to begin, once, also when it breaks off in the middle", async () => {
    const feed = feedAt("20");
    answers = [
      { events: events([5], "user_activity"), cursor: "8" },
      new TypeError("network"),
      { events: events([9, 22], "user_activity"), cursor: "22" },
    ];
    feed.replay({ subscriptions: ["user_activity"] }, "3");
    feed.take(fact("20", "22", [21, 22]));
    await pass(5_000);
    expect(asked).toEqual(["3 user_activity", "8 user_activity", "8 user_activity"]);
    expect([had, feed.cursor]).toEqual([["5", "9", "22", "21"], "22"]);
  });

  it("ends with the history that it was to read", async () => {
    const feed = feedAt("20");
    answers = [{ events: [], cursor: "20", reset: "history_expired" }];
    feed.replay({}, "3");
    await pass(0);
    expect([had, feed.caughtUp, feed.cursor]).toEqual([["history_expired"], true, "20"]);
  });
});
