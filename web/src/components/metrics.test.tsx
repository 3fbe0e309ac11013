// @vitest-environment happy-dom

// What `MetricsMonitor` draws, and how it is read without seeing the chart.

import { describe, expect, it } from "vitest";
import { settle } from "../testing/act.js";
import { click, press, setScreen } from "../testing/screen.js";
import { MetricsMonitor } from "./index.js";
import { event } from "./model/fixture.js";

const screen = setScreen();
const { connect, send, text, find, button, expectAccessible } = screen;

describe("metrics", () => {
  const figures = (chatbotId: string, cost: number, second: number) =>
    event(
      "chatbot_metrics",
      { cost, responseTime: 900, activeConversations: 3 },
      { chatbotId, timestamp: `2026-11-23T09:00:0${second}Z` },
    );

  it("are drawn over time, and read by the arrow keys", async () => {
    await connect(<MetricsMonitor />);
    await send(figures("b1", 1, 1), figures("b1", 3, 2));
    click(button(/^Cost/));
    await settle();
    const start = Date.parse("2026-11-23T09:00:00Z") / 1000;
    expect(screen.drawn.at(-1)).toEqual([
      [start + 1, start + 2],
      [1, 3],
    ]);
    const chart = find("[role=slider]");
    expect(chart.getAttribute("aria-label")).toBe("Cost over time");
    press(chart, "ArrowRight");
    expect(chart.getAttribute("aria-valuetext")).toMatch(/b1 \$3\.00$/);
    press(chart, "ArrowLeft");
    expect(chart.getAttribute("aria-valuetext")).toMatch(/b1 \$1\.00$/);
    expect(find(".rc-tooltip").textContent).toContain("$1.00");
    press(chart, "Escape");
    expect(screen.page.querySelector(".rc-tooltip")).toBeNull();
  });

  it("can be read as a table", async () => {
    await connect(<MetricsMonitor />);
    await send(figures("b1", 1, 1), figures("b2", 2, 2));
    click(button(/^Cost/));
    click(button("Table"));
    expect(text()).toContain("$3.00");
    expect(screen.page.querySelectorAll("tbody tr")).toHaveLength(2);
    click(button("By chatbot"));
    expect([...screen.page.querySelectorAll("thead th")].map(({ textContent }) => textContent)).toEqual([
      "Time",
      "b1",
      "b2",
    ]);
    click(button(/^b2/));
    expect(screen.page.querySelectorAll("thead th")).toHaveLength(2);
    await expectAccessible();
  });
});
