// The values under a chart's cursor.

import { formatTime } from "../format.js";
import type { Line, Pointed } from "./plot.js";

interface Props {
  pointed: Pointed;
  /** Milliseconds of wall time. */
  time: number;
  lines: readonly Line[];
  at: number;
  format: (value: number) => string;
}

/** Screen readers have the same from the chart itself. */
export function Tooltip({ pointed: { left, width }, time, lines, at, format }: Props) {
  // On the side where there is more room; the canvas ends where the chart does, the plot begins after its axis.
  const side =
    left > width / 2 ? { right: `${width - left + 24}px` } : { left: `calc(100% - ${width - left}px)` };
  return (
    <div className="rc-tooltip" style={side} aria-hidden="true">
      <span className="rc-muted">{formatTime(time)}</span>
      {lines.map(({ key, name, values, ink }) => (
        <span key={key} className="rc-tooltip-line">
          <i className={`rc-swatch rc-ink-${ink}`} />
          <span className="rc-ellipsis">{name}</span>
          <b>{value(values[at], format)}</b>
        </span>
      ))}
    </div>
  );
}

const value = (figure: number | null | undefined, format: (value: number) => string): string =>
  figure === null || figure === undefined ? "–" : format(figure);
