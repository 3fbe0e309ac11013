// A line without axes: the shape of the last values. It says nothing that the figure beside it does not.

const WIDTH = 100;
const HEIGHT = 24;

interface Props {
  values: readonly number[];
  /** The lowest value that the picture reaches down to. 0. */
  from?: number;
  /** A limit, drawn across. */
  limit?: number | undefined;
}

export function Sparkline({ values, from = 0, limit }: Props) {
  if (values.length < 2) return null;
  const low = Math.min(from, ...values);
  const span = Math.max(limit ?? low, ...values) - low || 1;
  const y = (value: number) => (HEIGHT - 1 - ((value - low) / span) * (HEIGHT - 3)).toFixed(1);
  const step = WIDTH / (values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${y(value)}`).join(" ");
  return (
    <svg
      className="rc-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />
      {limit !== undefined && (
        <line className="rc-spark-limit" x1="0" x2={WIDTH} y1={y(limit)} y2={y(limit)} />
      )}
      <polyline points={points} />
    </svg>
  );
}
