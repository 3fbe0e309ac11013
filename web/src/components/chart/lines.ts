// Courses of the chatbots' figures, as a chart draws them.

import type { Figure, Metrics } from "../model/metrics.js";
import type { Line } from "./plot.js";

/** As many as can be told apart by their colours. */
export const MAX_LINES = 5;

/** One line: all chatbots together. */
export function totalLine({ samples }: Metrics, figure: Figure, name: string): readonly Line[] {
  return [{ key: "total", name, ink: 1, values: samples.map(({ total }) => total[figure] ?? null) }];
}

/** A line for each of these chatbots. */
export function chatbotLines(
  { samples }: Metrics,
  figure: Figure,
  chatbots: readonly string[],
): readonly Line[] {
  return chatbots.map((key, at) => ({
    key,
    name: key,
    ink: at + 1,
    values: samples.map((sample) => sample.chatbots.get(key)?.figures[figure] ?? null),
  }));
}
