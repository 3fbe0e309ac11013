// The chatbots' figures: now as tiles, over time as a chart, all together or each by itself.

import { useMemo, useState } from "react";
import { Chart } from "./chart/Chart.js";
import { FiguresTable } from "./chart/FiguresTable.js";
import { chatbotLines, MAX_LINES, totalLine } from "./chart/lines.js";
import { formatCount, formatDecimal, formatDuration, formatMoney, formatPercent } from "./format.js";
import { type Figure, type Metrics, metrics, SUMMED } from "./model/metrics.js";
import { Chips } from "./parts/Chips.js";
import { Panel } from "./parts/Panel.js";
import { Sparkline } from "./parts/Sparkline.js";
import { type Scope, useProjection } from "./useProjection.js";

/** What {@link MetricsMonitor} takes. */
export type MetricsMonitorProps = Scope;

interface Tile {
  readonly figure: Figure;
  readonly name: string;
  readonly format: (value: number) => string;
}

const TILES: readonly [Tile, ...Tile[]] = [
  { figure: "responseTime", name: "Response time", format: formatDuration },
  { figure: "cost", name: "Cost", format: formatMoney },
  { figure: "tokenUsage", name: "Tokens", format: formatCount },
  { figure: "successRate", name: "Success rate", format: formatPercent },
  { figure: "activeConversations", name: "Conversations", format: formatCount },
  { figure: "userSatisfaction", name: "Satisfaction", format: (value) => `${formatDecimal(value)} of 5` },
];

/** The figures of chatbots, and how they changed. */
export function MetricsMonitor({ organizationId, chatbotId }: MetricsMonitorProps) {
  const followed = useProjection(metrics, { organizationId, chatbotId });
  const [tile, choose] = useState(TILES[0]);
  return (
    <Panel
      title="Metrics"
      followed={followed}
      empty={followed.value.chatbots.size === 0}
      hint="Conversations, response times, tokens and cost appear here."
    >
      <fieldset className="rc-tiles">
        <legend className="rc-unseen">Figure in the chart</legend>
        {TILES.map((each) => (
          <TileButton
            key={each.figure}
            tile={each}
            metrics={followed.value}
            chosen={each === tile}
            onChoose={() => choose(each)}
          />
        ))}
      </fieldset>
      <Course tile={tile} metrics={followed.value} />
    </Panel>
  );
}

interface TileButtonProps {
  tile: Tile;
  metrics: Metrics;
  chosen: boolean;
  onChoose: () => void;
}

function TileButton({ tile: { figure, name, format }, metrics, chosen, onChoose }: TileButtonProps) {
  const { total, samples } = metrics;
  const value = total[figure];
  const values = useMemo(() => samples.flatMap((sample) => sample.total[figure] ?? []), [samples, figure]);
  return (
    <button type="button" className="rc-tile" aria-pressed={chosen} onClick={onChoose}>
      <span className="rc-tile-name">{name}</span>
      <span className="rc-tile-value">{value === undefined ? "–" : format(value)}</span>
      <Sparkline values={values} from={Math.min(...values)} />
    </button>
  );
}

function Course({ tile: { figure, name, format }, metrics }: { tile: Tile; metrics: Metrics }) {
  const [apart, setApart] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const [picked, pick] = useState<readonly string[]>([]);
  const { samples, chatbots } = metrics;
  const keys = useMemo(() => [...chatbots.keys()].sort(), [chatbots]);
  const several = keys.length > 1;
  const shown = useMemo(() => {
    const known = picked.filter((key) => chatbots.has(key));
    return known.length > 0 ? known : keys.slice(0, MAX_LINES);
  }, [picked, chatbots, keys]);
  const times = useMemo(() => samples.map(({ time }) => time), [samples]);
  const lines = useMemo(
    () =>
      several && apart
        ? chatbotLines(metrics, figure, shown)
        : totalLine(metrics, figure, several ? "All chatbots" : (keys[0] ?? "")),
    [metrics, figure, several, apart, shown, keys],
  );
  const toggle = (key: string): void =>
    pick(shown.includes(key) ? shown.filter((other) => other !== key) : [...shown, key].slice(-MAX_LINES));
  return (
    <div className="rc-course-of">
      <div className="rc-course-tools">
        {several && (
          <Chips
            label="Chatbots in the chart"
            choices={[
              ["all", "All together"],
              ["each", "By chatbot"],
            ]}
            chosen={apart ? "each" : "all"}
            onChoose={(choice) => setApart(choice === "each")}
          />
        )}
        <button
          type="button"
          className="rc-button"
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        >
          Table
        </button>
      </div>
      {asTable ? (
        <FiguresTable caption={`${name} over time`} times={times} lines={lines} format={format} />
      ) : (
        <Chart
          label={`${name} over time`}
          times={times}
          lines={lines}
          format={format}
          fromZero={SUMMED.has(figure)}
        />
      )}
      {several && apart && (
        <fieldset className="rc-legend">
          <legend className="rc-unseen">Lines in the chart, {MAX_LINES} at most</legend>
          {keys.map((key) => {
            const ink = shown.indexOf(key) + 1;
            const value = chatbots.get(key)?.figures[figure];
            return (
              <button
                key={key}
                type="button"
                className="rc-legend-line"
                aria-pressed={ink > 0}
                onClick={() => toggle(key)}
              >
                <i className={`rc-swatch ${ink > 0 ? `rc-ink-${ink}` : ""}`} aria-hidden="true" />
                <span className="rc-ellipsis">{key || "unnamed"}</span>
                <small>{value === undefined ? "–" : format(value)}</small>
              </button>
            );
          })}
        </fieldset>
      )}
    </div>
  );
}
