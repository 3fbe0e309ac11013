// What an app hands in, looked at before any SQL: a statement that fails inside the app's transaction would take the
// transaction with it.

/** Something that was given to a producer cannot become an event. Nothing was sent to the database. */
export class InvalidEventError extends Error {
  override readonly name = "InvalidEventError";
  /** Which argument or field it is about. */
  readonly field: string;

  constructor(field: string, must: string, details: { cause?: unknown } = {}) {
    super(`${field} must ${must}`, details);
    this.field = field;
  }
}

/** A text that says something. */
export function checkText(field: string, value: unknown): void {
  if (typeof value !== "string" || value.trim() === "")
    throw new InvalidEventError(field, "be a text that is not empty");
}

/** As {@link checkText}, where nothing may be given too. */
export function checkOptionalText(field: string, value: unknown): void {
  if (value !== undefined && value !== null) checkText(field, value);
}

/** A text that becomes a parameter of its own: Postgres has none with a NUL in it. */
export function checkId(field: string, value: unknown): void {
  checkText(field, value);
  if (String(value).includes("\0")) throw new InvalidEventError(field, "hold no NUL character");
}

/** A number within bounds, both included. Texts that look like one are none. */
export function checkNumber(field: string, value: unknown, least = -Infinity, most = Infinity): void {
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return;
  const bounds = most < Infinity ? ` from ${least} to ${most}` : least === 0 ? ", 0 or more" : "";
  throw new InvalidEventError(field, `be a finite number${bounds}`);
}

export function checkOptionalNumber(field: string, value: unknown, least?: number, most?: number): void {
  if (value !== undefined) checkNumber(field, value, least, most);
}

/** One of the names that the contract has. */
export function checkOneOf(field: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "string" || !names.includes(value))
    throw new InvalidEventError(field, `be one of ${names.join(", ")}`);
}

/**
 * The JSON of an event's data, as jsonb takes it. A NUL character or half of a surrogate pair, which jsonb refuses,
 * becomes U+FFFD: what users type must not undo the transaction in which it is announced.
 */
export function toJson(data: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(data, (key, value) => {
      if (typeof value === "number") checkNumber(key, value);
      return value;
    });
  } catch (cause) {
    if (cause instanceof InvalidEventError) throw cause;
    throw new InvalidEventError("data", "be JSON: without bigints, and without anything that holds itself", {
      cause,
    });
  }
  if (!json?.startsWith("{")) throw new InvalidEventError("data", "be an object");
  // JSON.stringify writes \ud800 and its like for halves alone; `\\` is taken first, so that a text that spells such an escape stays as it is.
  return json.replace(/\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g, (found) =>
    found === "\\\\" ? found : "\ufffd",
  );
}

/** The same object without the fields that are undefined: absent means absent. */
export type Present<Fields> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key];
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<Fields[Key], undefined>;
};

export function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<Fields>;
}
