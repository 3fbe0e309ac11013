// What a chart draws, as a table: for those who cannot see it, and those who want the numbers.

import { formatTime } from "../format.js";
import type { Line } from "./plot.js";

interface Props {
  caption: string;
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
}

/** The newest; nobody reads further. */
const ROWS = 60;

export function FiguresTable({ caption, times, lines, format }: Props) {
  const indexes = times
    .map((_, at) => at)
    .slice(-ROWS)
    .reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
    <section className="rc-table" tabIndex={0} aria-label={caption}>
      <table>
        <caption className="rc-unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {indexes.map((at) => (
            <tr key={times[at]}>
              <th scope="row">{formatTime(times[at] ?? 0)}</th>
              {lines.map(({ key, values }) => {
                const value = values[at];
                return <td key={key}>{value === null || value === undefined ? "–" : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
