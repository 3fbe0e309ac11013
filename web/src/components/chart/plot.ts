// A canvas with lines over time: uPlot, in the colours that the styles give. It holds what the library wants in one place.

import type UPlot from "uplot";

/** A course to draw; its values stand at the chart's times, null where there was none. */
export interface Line {
  readonly key: string;
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** Its colour: a number from 1 to 6. */
  readonly ink: number;
}

/** Where the cursor points: an index into the times, and pixels from the plot's upper left. */
export interface Pointed {
  readonly index: number;
  readonly left: number;
  readonly width: number;
}

export interface PlotOptions {
  readonly inks: readonly number[];
  readonly format: (value: number) => string;
  /** Amounts are drawn from zero; times, rates and grades around what they are. */
  readonly fromZero: boolean;
  /** Pixels of the letters around the chart: what is written on it grows with them. */
  readonly letters: number;
  readonly onPoint: (pointed: Pointed | null) => void;
}

export interface Plot {
  show(times: readonly number[], lines: readonly Line[]): void;
  /** Moves the cursor to the time with this index; null hides it. */
  pointAt(index: number | null): void;
  resize(width: number, height: number): void;
  /** Reads the colours again. */
  recolour(): void;
  destroy(): void;
}

const hourAndMinute = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});
const withSeconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** Loaded when the first chart is shown, not with the page. */
export const loadLibrary = (): Promise<typeof UPlot> => import("uplot").then((module) => module.default);

/** Draws into `host`, whose children of class `rc-ink-…` name the colours. */
export function createPlot(Library: typeof UPlot, host: HTMLElement, options: PlotOptions): Plot {
  let colours = readColours(host);
  const { inks, format, fromZero, letters, onPoint } = options;
  const { fontFamily } = getComputedStyle(host);
  const em = letters * LETTERS;
  const axis = { stroke: () => colours.muted, font: `${em}px ${fontFamily}`, ticks: { show: false } };
  const lines = { stroke: () => colours.line, width: 1 };
  const plot = new Library(
    {
      width: Math.max(1, host.clientWidth),
      height: Math.max(1, host.clientHeight),
      padding: [8, 28, 0, 0],
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, width: 2 } },
      scales: {
        y: { range: (_plot, low, high) => room(low, high, fromZero) },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: em * 7,
          size: em * 2.5,
          gap: 8,
          values: (_plot, at, _axis, _space, step) => times(at, step),
        },
        {
          ...axis,
          grid: lines,
          space: em * 4,
          gap: 6,
          values: (_plot, at) => at.map(format).map((text, n, all) => (text === all[n - 1] ? "" : text)),
          size: (_plot, written) =>
            em * (1.3 + 0.58 * Math.max(0, ...(written ?? []).map((text) => text.length))),
        },
      ],
      series: [
        {},
        ...inks.map((ink) => ({
          stroke: () => colours.ink(ink),
          ...(inks.length === 1 && { fill: () => colours.soft }),
          width: 1.75,
          spanGaps: true,
          // A line needs two points; one shows as a dot.
          points: { show: (self: UPlot) => (self.data[0]?.length ?? 0) < 2, size: 9, width: 2 },
        })),
      ],
      hooks: {
        setCursor: [
          ({ cursor: { idx, left }, bbox }) => {
            const visible = idx !== null && idx !== undefined && left !== undefined && left >= 0;
            onPoint(visible ? { index: idx, left, width: bbox.width / devicePixelRatio } : null);
          },
        ],
      },
    },
    [[], ...inks.map(() => [])],
    host,
  );
  return {
    show(at, courses) {
      const seconds = at.map((time) => time / 1000);
      plot.setData([seconds, ...courses.map(({ values }) => [...values])], false);
      const max = seconds.at(-1) ?? 0;
      // By itself the library would show a whole day around a single time.
      plot.setScale("x", { min: Math.min(seconds[0] ?? max, max - LEAST_SECONDS), max });
    },
    pointAt(index) {
      const time = index === null ? undefined : plot.data[0]?.[index];
      plot.setCursor({ left: time === undefined ? -10 : plot.valToPos(time, "x"), top: 0 });
    },
    resize: (width, height) => plot.setSize({ width, height }),
    recolour() {
      colours = readColours(host);
      plot.redraw(false);
    },
    destroy: () => plot.destroy(),
  };
}

/** Of the size of the letters around it. */
const LETTERS = 0.79;

/** A course of less is drawn at the right, where it grows. */
const LEAST_SECONDS = 30;

/** What is drawn of less than this part of a value is noise, and must not look like more. */
const LEAST_SPAN = 0.2;

/** The values with some air around them. */
function room(low: number | null, high: number | null, fromZero: boolean): [number, number] {
  if (low === null || high === null) return [0, 1];
  if (fromZero) return [Math.min(0, low), Math.max(high, 0) * 1.12 || 1];
  const span = Math.max(high - low, Math.abs(high) * LEAST_SPAN) || 1;
  const floor = (low + high) / 2 - span * 0.65;
  return [low >= 0 ? Math.max(0, floor) : floor, (low + high) / 2 + span * 0.65];
}

function times(at: readonly number[], step: number): string[] {
  const clock = step < 60 ? withSeconds : hourAndMinute;
  return at.map((seconds) => clock.format(seconds * 1000));
}

/** Canvases know nothing of custom properties; computed colours of real elements are what they understand. */
function readColours(host: HTMLElement) {
  const read = (name: string): string => {
    const probe = host.querySelector(`:scope > .rc-ink-${name}`);
    return probe ? getComputedStyle(probe).color : "currentcolor";
  };
  const inks = [1, 2, 3, 4, 5, 6].map((ink) => read(String(ink)));
  return {
    muted: read("muted"),
    line: read("line"),
    soft: read("soft"),
    ink: (ink: number): string => inks[ink - 1] ?? read("1"),
  };
}
