// A line without axes: the shape of the last values. It says nothing that the figure beside it does not.

const WIDTH = 100;
const HEIGHT = 24;

export function Sparkline({ values, from = 0 }: { values: readonly number[]; from?: number }) {
  if (values.length < 2) return null;
  const low = Math.min(from, ...values);
  const span = Math.max(...values) - low || 1;
  const step = WIDTH / (values.length - 1);
  const points = values.map((value, at) => {
    const y = HEIGHT - 1 - ((value - low) / span) * (HEIGHT - 3);
    return `${(at * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      className="rc-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}
