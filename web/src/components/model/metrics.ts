// Figures of the chatbots and of all of them together, now and over time.

import type { EventOf } from "../../protocol.js";
import type { Item } from "./list.js";
import { clearsAway, type Projection } from "./projection.js";
import { number, timeOf } from "./read.js";

export const FIGURES = [
  "activeConversations",
  "responseTime",
  "successRate",
  "tokenUsage",
  "cost",
  "userSatisfaction",
] as const;
export type Figure = (typeof FIGURES)[number];
export type Figures = Readonly<Partial<Record<Figure, number>>>;

export interface ChatbotItem extends Item {
  readonly figures: Figures;
}

/** How everything stood at a time: what was not reported just then holds on from before. */
export interface Sample {
  /** Milliseconds of wall time. */
  readonly time: number;
  readonly total: Figures;
  readonly chatbots: ReadonlyMap<string, ChatbotItem>;
}

export interface Metrics {
  /** By chatbot, the one heard of last at the end. */
  readonly chatbots: ReadonlyMap<string, ChatbotItem>;
  readonly total: Figures;
  /** Oldest first. */
  readonly samples: readonly Sample[];
  /** There is one sample in this many milliseconds. */
  readonly step: number;
}

/** A dashboard is no warehouse: beyond this many, the chatbots heard of least recently are left out. */
const MAX_CHATBOTS = 200;
/** More than a chart has pixels for is of no use. Past it the course keeps its length and loses detail. */
export const MAX_SAMPLES = 240;
const FIRST_STEP = 1000;

/** Amounts, of which all chatbots together have the sum; of the rest they have the average. */
export const SUMMED: ReadonlySet<Figure> = new Set(["activeConversations", "tokenUsage", "cost"]);

export const metrics: Projection<"chatbot_metrics", Metrics> = {
  type: "chatbot_metrics",
  empty: { chatbots: new Map(), total: {}, samples: [], step: FIRST_STEP },
  apply(was, event) {
    if (clearsAway(event)) return was;
    const key = event.chatbotId ?? event.key ?? "";
    const chatbots = new Map(was.chatbots);
    chatbots.delete(key);
    chatbots.set(key, { key, event, figures: figuresOf(event) });
    if (chatbots.size > MAX_CHATBOTS) chatbots.delete(chatbots.keys().next().value ?? "");
    const total = totals(chatbots);
    const last = was.samples.at(-1);
    // A row that committed late may be older than what is known.
    const time = Math.max(timeOf(event, last?.time), last?.time ?? 0);
    const [samples, step] = record(was.samples, { time, total, chatbots }, was.step);
    return { chatbots, total, samples, step };
  },
};

function figuresOf(event: EventOf<"chatbot_metrics">): Figures {
  const figures: Partial<Record<Figure, number>> = {};
  for (const figure of FIGURES) {
    const value = number(event.data[figure]);
    if (value !== undefined) figures[figure] = value;
  }
  return figures;
}

/** Amounts add up; times, rates and grades are averages over the chatbots that have one. */
function totals(chatbots: ReadonlyMap<string, ChatbotItem>): Figures {
  const total: Partial<Record<Figure, number>> = {};
  for (const figure of FIGURES) {
    let [sum, count] = [0, 0];
    for (const { figures } of chatbots.values()) {
      const value = figures[figure];
      if (value === undefined) continue;
      sum += value;
      count += 1;
    }
    if (count > 0) total[figure] = SUMMED.has(figure) ? sum : sum / count;
  }
  return total;
}

function record(samples: readonly Sample[], sample: Sample, step: number): [readonly Sample[], number] {
  const last = samples.at(-1);
  const same = last !== undefined && Math.floor(last.time / step) === Math.floor(sample.time / step);
  const longer = same ? samples.with(-1, sample) : [...samples, sample];
  if (longer.length <= MAX_SAMPLES) return [longer, step];
  return thin(longer, step * 2);
}

/** The last sample of each step. Gaps without events may ask for several doublings. */
function thin(samples: readonly Sample[], step: number): [readonly Sample[], number] {
  const kept = samples.filter((sample, at) => {
    const next = samples[at + 1];
    return next === undefined || Math.floor(next.time / step) !== Math.floor(sample.time / step);
  });
  return kept.length <= MAX_SAMPLES ? [kept, step] : thin(kept, step * 2);
}
