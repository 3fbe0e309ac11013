import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseParser } from "./parse.js";

const FIXTURES = new URL("../../tests/fixtures/wire/", import.meta.url);
const names = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => name.slice(0, -4));

/** What a parser makes of these chunks, in the form of the fixtures. */
function parse(chunks: Iterable<Uint8Array>) {
  const parser = new SseParser();
  const messages = [...chunks].flatMap((chunk) => parser.push(chunk));
  return { lastEventId: parser.lastEventId, retry: parser.retry ?? null, messages };
}

/** Cuts after each of these many bytes, in turn, until nothing is left. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (let turn = 0; from < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

describe("wire fixtures", () => {
  it("are there", () => expect(names.length).toBeGreaterThan(8));

  it.each(names)("%s, in one piece", (name) => {
    const expected = JSON.parse(readFileSync(new URL(`${name}.json`, FIXTURES), "utf8"));
    expect(parse([readFileSync(new URL(`${name}.txt`, FIXTURES))])).toEqual(expected);
  });

  it.each(names)("%s, however it is cut", (name) => {
    const bytes = readFileSync(new URL(`${name}.txt`, FIXTURES));
    const whole = parse([bytes]);
    expect(parse(cut(bytes, [1]))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }), (sizes) => {
        expect(parse(cut(bytes, sizes))).toEqual(whole);
      }),
    );
  });
});

describe("any stream", () => {
  /** Streams made of what matters to a parser, in any order. */
  const pieces = [
    "\n",
    "\r",
    "\r\n",
    ":",
    " ",
    "data",
    "data: x",
    "id: 7",
    "id: a\0b",
    "event: e",
    "retry: 9",
    "é",
    "🗂",
    "\uFEFF",
  ];
  const streams = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(""));

  it("gives the same messages however it is cut", () => {
    fc.assert(
      fc.property(streams, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
        const bytes = new TextEncoder().encode(text);
        expect(parse(cut(bytes, sizes))).toEqual(parse([bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives what the standard's own description gives", () => {
    fc.assert(
      fc.property(streams, (text) => {
        expect(parse([new TextEncoder().encode(text)])).toEqual(bookkeeping(text));
      }),
      { numRuns: 1000 },
    );
  });
});

it("resumes with the id that it was given until there is another one", () => {
  const parser = new SseParser("41");
  const [message] = parser.push(new TextEncoder().encode("data: x\n\n"));
  expect(message?.lastEventId).toBe("41");
});

it("refuses a message without end", () => {
  const parser = new SseParser();
  const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
  expect(() => {
    for (let mebibytes = 0; mebibytes < 17; mebibytes += 1) parser.push(chunk);
  }).toThrow(RangeError);
});

/** The standard's algorithm, word for word and over the whole text at once. */
function bookkeeping(text: string) {
  const messages: { event: string; data: string; lastEventId: string }[] = [];
  let [data, event, id, lastEventId] = ["", "", "", ""];
  let retry: number | null = null;
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (const line of lines.slice(0, -1)) {
    if (line === "") {
      lastEventId = id;
      if (data !== "") messages.push({ event: event || "message", data: data.slice(0, -1), lastEventId });
      data = "";
      event = "";
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (name === "data") data += `${value}\n`;
    if (name === "event") event = value;
    if (name === "id" && !value.includes("\0")) id = value;
    if (name === "retry" && /^\d+$/.test(value)) retry = Number(value);
  }
  return { lastEventId, retry, messages };
}
