// Any bytes at all, cut anywhere, against a second reading of the standard that goes through them one by one: "9.2.5 Parsing an event stream" and "9.2.6 Interpreting an event stream".
// `make fuzz` goes on for as long as ROWCAST_FUZZ_SECONDS says.

import fc from "fast-check";
import { expect, it } from "vitest";
import { SseParser } from "./parse.js";

const SECONDS = Number(process.env.ROWCAST_FUZZ_SECONDS || 0);

/** How often, or for how long, in milliseconds for vitest and in what fast-check understands. */
const effort =
  SECONDS > 0
    ? {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: SECONDS * 1000,
        markInterruptAsFailure: false,
      }
    : { numRuns: 3000 };
const patience = SECONDS * 1000 + 60_000;

/** What a stream is made of: what matters to a parser, text in every width of UTF-8, and bytes that are no text. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("\n", "\r", "\r\n", "\n\n", ":", ": ", " ", "data", "event", "id", "retry"),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "data: x\n",
      "data:\n",
      "data\n",
      "id: 7\n",
      "id\n",
      "event: e\r",
      "retry: 9\r\n",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "id: a\0b\n",
      "retry: 1e3\n",
      "retry: ٣\n",
      "retry: -1\n",
      "Data: x\n",
      " data: x\n",
      "\uFEFF",
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom("é", "€", "🗂", "\u2028", "\u0085", "\v", "\f") },
);
const text = piece.map((text) => new TextEncoder().encode(text));
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  // The beginnings and ends of sequences, the byte order mark in pieces, overlong forms, surrogates.
  fc
    .constantFrom(
      [0xef, 0xbb, 0xbf],
      [0xef, 0xbb],
      [0xbf],
      [0xf0, 0x9f],
      [0x97, 0x82],
      [0xc0, 0x8a],
      [0xed, 0xa0, 0x80],
      [0xff],
    )
    .map((bytes) => Uint8Array.from(bytes)),
);
const stream = fc
  .array(fc.oneof({ weight: 6, arbitrary: text }, { weight: 2, arbitrary: noise }), { maxLength: 50 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
/** Nothing at all comes too. */
const sizes = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 })
  .filter((sizes) => sizes.some((size) => size > 0));

function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let [from, turn] = [0, 0]; from < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

it("reads any bytes, however they are cut, as the standard does", { timeout: patience }, () => {
  fc.assert(
    fc.property(stream, sizes, fc.constantFrom("", "41"), (bytes, sizes, lastEventId) => {
      const parser = new SseParser(lastEventId);
      const messages = [...cut(bytes, sizes)].flatMap((chunk) => parser.push(chunk));
      const expected = new Standard(lastEventId);
      for (const character of decoded(bytes)) expected.take(character);
      expect(messages).toEqual(expected.messages);
      expect([parser.lastEventId, parser.retry]).toEqual([expected.lastEventId, expected.retry]);
    }),
    effort,
  );
});

it("reads all kinds of streams in this test", () => {
  const seen = { messages: 0, ids: 0, retries: 0, replaced: 0 };
  for (const bytes of fc.sample(stream, { numRuns: 2000, seed: 1 })) {
    const reader = new Standard("");
    for (const character of decoded(bytes)) reader.take(character);
    seen.messages += reader.messages.length;
    seen.ids += reader.lastEventId === "" ? 0 : 1;
    seen.retries += reader.retry === undefined ? 0 : 1;
    seen.replaced += decoded(bytes).includes("\uFFFD") ? 1 : 0;
  }
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});

/** "UTF-8 decode": malformed sequences become U+FFFD, one byte order mark at the start goes. What has not come to an end is not looked at. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes, { stream: true });
}

/** The standard's reading, one character at a time. */
class Standard {
  readonly messages: { event: string; data: string; lastEventId: string }[] = [];
  retry: number | undefined;
  lastEventId: string;
  #line = "";
  #sawCr = false;
  #data = "";
  #type = "";
  #id: string;

  constructor(lastEventId: string) {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  take(character: string): void {
    const second = this.#sawCr && character === "\n";
    this.#sawCr = character === "\r";
    if (second) return;
    if (character !== "\r" && character !== "\n") {
      this.#line += character;
      return;
    }
    const line = this.#line;
    this.#line = "";
    if (line === "") this.#dispatch();
    else if (!line.startsWith(":")) this.#process(line);
  }

  #process(line: string): void {
    let name = "";
    let at = 0;
    while (at < line.length && line[at] !== ":") name += line[at++];
    let value = line.slice(at + 1);
    if (value[0] === " ") value = value.slice(1);
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data += `${value}\n`;
    else if (name === "id") {
      if (![...value].includes("\0")) this.#id = value;
    } else if (name === "retry") {
      const digits = [...value].every((character) => character >= "0" && character <= "9");
      if (digits && value !== "") this.retry = Number.parseInt(value, 10);
    }
  }

  #dispatch(): void {
    this.lastEventId = this.#id;
    if (this.#data !== "") {
      const data = this.#data.slice(0, -1);
      this.messages.push({
        event: this.#type === "" ? "message" : this.#type,
        data,
        lastEventId: this.lastEventId,
      });
    }
    this.#data = "";
    this.#type = "";
  }
}
