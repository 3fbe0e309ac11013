// Lines over time, with the values under the cursor. By keyboard the arrows move along the times; everything that is drawn
// can be had as a table.

import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type UPlot from "uplot";
import { formatTime } from "../format.js";
import { createPlot, type Line, loadLibrary, type Plot, type Pointed } from "./plot.js";
import { Tooltip } from "./Tooltip.js";

interface Props {
  /** What is drawn, for those who do not see it. */
  label: string;
  /** Milliseconds of wall time. */
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** Amounts are drawn from zero; times, rates and grades around what they are. */
  fromZero: boolean;
}

const PROBES = ["1", "2", "3", "4", "5", "6", "muted", "line", "soft"];

export function Chart({ label, times, lines, format, fromZero }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [library, setLibrary] = useState<typeof UPlot | "missing" | null>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [letters, setLetters] = useState<number | null>(null);
  useEffect(() => {
    let mounted = true;
    if (host.current) setLetters(lettersOf(host.current));
    loadLibrary().then(
      (loaded) => mounted && setLibrary(() => loaded),
      () => mounted && setLibrary("missing"),
    );
    return () => {
      mounted = false;
    };
  }, []);

  const inks = lines.map(({ ink }) => ink).join();
  // The newest, for a plot that has just been made; the effect below shows what comes after.
  const shown = useRef({ times, lines });
  useEffect(() => {
    shown.current = { times, lines };
    plot.current?.show(times, lines);
  }, [times, lines]);
  useEffect(() => {
    const element = host.current;
    if (!element || letters === null || library === null || library === "missing") return;
    const drawn = createPlot(library, element, {
      inks: inks === "" ? [] : inks.split(",").map(Number),
      format,
      fromZero,
      letters,
      onPoint: setPointed,
    });
    plot.current = drawn;
    drawn.show(shown.current.times, shown.current.lines);
    const stopFollowing = followSurroundings(element, drawn, setLetters);
    return () => {
      stopFollowing();
      plot.current = null;
      drawn.destroy();
      setPointed(null);
    };
  }, [library, inks, format, fromZero, letters]);

  const last = times.length - 1;
  const at = pointed ? Math.min(pointed.index, last) : null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = at ?? last;
    const steps: Readonly<Record<string, number | null>> = {
      ArrowLeft: Math.max(0, at === null ? last : from - 1),
      ArrowRight: Math.min(last, from + 1),
      Home: 0,
      End: last,
      Escape: null,
    };
    const step = steps[event.key];
    if (step === undefined || last < 0) return;
    event.preventDefault();
    plot.current?.pointAt(step);
  };
  const spoken = useMemo(
    () => (at === null ? "" : sayAt(at, times, lines, format)),
    [at, times, lines, format],
  );

  if (library === "missing")
    return <p className="rc-remark">The chart could not be loaded. Its figures are in the table.</p>;
  return (
    <div
      className="rc-chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={at ?? Math.max(0, last)}
      aria-valuetext={spoken || "Arrow keys read the values"}
      onKeyDown={onKeyDown}
      onBlur={() => plot.current?.pointAt(null)}
    >
      <div className="rc-chart-canvas" ref={host}>
        {PROBES.map((name) => (
          <i key={name} className={`rc-ink rc-ink-${name}`} />
        ))}
      </div>
      {pointed && at !== null && at >= 0 && (
        <Tooltip pointed={pointed} time={times[at] ?? 0} lines={lines} at={at} format={format} />
      )}
    </div>
  );
}

/** Size and colours are the page's to change: by a window, a sidebar, the system's scheme, a class of the host's. */
function followSurroundings(
  element: HTMLElement,
  plot: Plot,
  onLetters: (pixels: number) => void,
): () => void {
  const sizes = new ResizeObserver(([entry]) => {
    onLetters(lettersOf(element));
    if (entry) plot.resize(Math.max(1, entry.contentRect.width), Math.max(1, entry.contentRect.height));
  });
  sizes.observe(element);
  const recolour = (): void => plot.recolour();
  // The probes have a transition that nobody sees: it ends whenever their colour changed, whatever made it change.
  element.addEventListener("transitionend", recolour);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", recolour);
  return () => {
    sizes.disconnect();
    element.removeEventListener("transitionend", recolour);
    scheme.removeEventListener("change", recolour);
  };
}

function lettersOf(element: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(element).fontSize) || 14;
}

function sayAt(
  at: number,
  times: readonly number[],
  lines: readonly Line[],
  format: (value: number) => string,
): string {
  const values = lines.flatMap(({ name, values }) => {
    const value = values[at];
    return value === null || value === undefined ? [] : `${name} ${format(value)}`;
  });
  return `${formatTime(times[at] ?? 0)}: ${values.join(", ")}`;
}
