// How figures, times and names are written.

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD" });
const cents = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  maximumSignificantDigits: 2,
});

/** Milliseconds of wall time, or a timestamp; nothing when it is no time. */
export const formatTime = (time: string | number): string => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : clock.format(date);
};
export const formatCount = (value: number): string => (value < 100_000 ? whole : short).format(value);
export const formatDecimal = (value: number): string =>
  (Math.abs(value) < 100_000 ? decimal : short).format(value);
/** A figure beside its limit. Shares and others that are small keep two digits: 0.85 is not 0.9. */
export const formatFigure = (value: number): string =>
  Math.abs(value) < 10 ? fine.format(value) : formatDecimal(value);
export const formatPercent = (value: number): string => percent.format(value);
/** Dollars; what is less than a few cents keeps its digits. */
export const formatMoney = (value: number): string =>
  (value !== 0 && Math.abs(value) < 0.1 ? cents : money).format(value);

/** A duration given in milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${decimal.format(ms / 1000)} s`;
  return ms < 3_600_000 ? `${decimal.format(ms / 60_000)} min` : `${decimal.format(ms / 3_600_000)} h`;
}

/** `llm_api` as it is read. */
export function formatName(name: string): string {
  const split = name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const words = split.replaceAll("_", " ").replaceAll(".", " ");
  const spaced = words.charAt(0).toUpperCase() + words.slice(1);
  return spaced
    .replace(/\b(llm|api|ocr|p50|p95|p99)\b/gi, (acronym) => acronym.toUpperCase())
    .replace(/\b(ms|percent)$/i, (unit) => `(${unit === "ms" ? unit : "%"})`);
}
