// The lag of the last minute: the median and the 95th percentile of each second. What it shows is said beside it in figures.

import { formatLag } from "../format.js";
import { course, type Lag, WINDOW } from "./lag.js";

const WIDTH = 300;
const HEIGHT = 72;
/** A scale that ends below this would make noise look like trouble. */
const LEAST = 20;

export function LagChart({ lag, now }: { lag: Lag; now: number }) {
  const median = course(lag, 0.5, now);
  const late = course(lag, 0.95, now);
  const top = scaleOf(late);
  return (
    <figure className="rd-lag">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="rd-lag-grid" d={`M0 ${HEIGHT / 2}H${WIDTH}M0 1H${WIDTH}M0 ${HEIGHT - 1}H${WIDTH}`} />
        <path className="rd-lag-late" d={lineOf(late, top)} />
        <path className="rd-lag-median" d={lineOf(median, top)} />
      </svg>
      <figcaption>
        <span>a minute ago</span>
        <span>up to {formatLag(top)}</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

/** The next 1, 2 or 5 of its power of ten, so that the scale does not move with every event. */
export function scaleOf(values: readonly (number | null)[]): number {
  const most = Math.max(LEAST, ...values.map((value) => value ?? 0));
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most) ?? most;
}

/** Seconds in which nothing came are bridged: there was no lag to be seen. */
function lineOf(values: readonly (number | null)[], top: number): string {
  const points = values.flatMap((value, at) => {
    if (value === null) return [];
    const x = (at * WIDTH) / (WINDOW - 1);
    const y = HEIGHT - 1 - (Math.min(value, top) / top) * (HEIGHT - 2);
    return [`${x.toFixed(1)} ${y.toFixed(1)}`];
  });
  const [first] = points;
  if (first === undefined) return "";
  // A single second would be no line at all.
  return points.length === 1 ? `M${first}h2` : `M${points.join("L")}`;
}
