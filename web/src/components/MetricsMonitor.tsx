// The chatbots' figures, all of them together.

import { formatCount, formatDuration, formatMoney, formatPercent } from "./format.js";
import { useModel } from "./live.js";
import type { Figure } from "./model/metrics.js";
import { Panel } from "./parts/Panel.js";
import { Sparkline } from "./parts/Sparkline.js";

const TILES: readonly [Figure, string, (value: number) => string][] = [
  ["activeConversations", "Active conversations", formatCount],
  ["responseTime", "Response time", formatDuration],
  ["successRate", "Success rate", formatPercent],
  ["tokenUsage", "Tokens today", formatCount],
  ["cost", "Cost today", formatMoney],
  ["userSatisfaction", "Satisfaction", (value) => `${value.toFixed(1)} of 5`],
];

export function MetricsMonitor() {
  const { chatbots, total, history } = useModel((model) => model.metrics);
  return (
    <Panel
      title="Metrics"
      type="chatbot_metrics"
      size="wide"
      empty={chatbots.length === 0}
      hint="Conversations, response times, tokens and cost appear here."
    >
      <div className="rc-tiles">
        {TILES.map(([figure, name, format]) => {
          const value = total[figure];
          return (
            <dl className="rc-tile" key={figure}>
              <dt>{name}</dt>
              <dd>{value === undefined ? "–" : format(value)}</dd>
              <Sparkline values={history[figure] ?? []} from={Math.min(...(history[figure] ?? [0]))} />
            </dl>
          );
        })}
      </div>
    </Panel>
  );
}
