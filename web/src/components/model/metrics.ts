// Figures of the chatbots, and of all of them together.

import type { EventOf } from "../../protocol.js";
import { append, type Item } from "./list.js";
import { number } from "./read.js";

const FIGURES = [
  "activeConversations",
  "responseTime",
  "successRate",
  "tokenUsage",
  "cost",
  "userSatisfaction",
] as const;
export type Figure = (typeof FIGURES)[number];
type Figures = Readonly<Partial<Record<Figure, number>>>;

interface ChatbotItem extends Item {
  readonly figures: Figures;
}

export interface Metrics {
  readonly chatbots: readonly ChatbotItem[];
  readonly total: Figures;
  readonly history: Readonly<Partial<Record<Figure, readonly number[]>>>;
}

export const noMetrics: Metrics = { chatbots: [], total: {}, history: {} };

/** A dashboard is no warehouse: beyond this many, the chatbots heard of least recently are left out. */
const MAX = 500;
const SUMMED: ReadonlySet<Figure> = new Set(["activeConversations", "tokenUsage", "cost"]);

export function foldMetrics(was: Metrics, event: EventOf<"chatbot_metrics">): Metrics {
  if (event.operation === "DELETE" || event.operation === "TRUNCATE") return was;
  const key = event.chatbotId ?? event.key ?? "";
  const figures: Partial<Record<Figure, number>> = {};
  for (const figure of FIGURES) {
    const value = number(event.data[figure]);
    if (value !== undefined) figures[figure] = value;
  }
  const others = was.chatbots.filter((chatbot) => chatbot.key !== key);
  const chatbots = [{ key, event, figures }, ...others].slice(0, MAX);
  const total = totals(chatbots);
  const history: Partial<Record<Figure, readonly number[]>> = {};
  for (const figure of FIGURES) history[figure] = append(was.history[figure] ?? [], total[figure]);
  return { chatbots, total, history };
}

/** Amounts add up; times, rates and grades are averages over the chatbots that have one. */
function totals(chatbots: readonly ChatbotItem[]): Figures {
  const total: Partial<Record<Figure, number>> = {};
  for (const figure of FIGURES) {
    const values = chatbots.flatMap(({ figures }) => figures[figure] ?? []);
    if (values.length === 0) continue;
    const sum = values.reduce((a, b) => a + b, 0);
    total[figure] = SUMMED.has(figure) ? sum : sum / values.length;
  }
  return total;
}
