// Why a stream could not be opened, or ended; and which of these reasons another attempt can cure.

/** What went wrong, in one word. */
export type ErrorKind =
  /** 401: no token, or one that the server does not accept. */
  | "unauthorized"
  /** 403: the token is good, but not for this. */
  | "forbidden"
  /** Any other 4xx: the same request will be refused again. */
  | "refused"
  /** Somebody has ended this user's streams (`rowcast.disconnect`): only the app knows whether they may come back. */
  | "disconnected"
  /** 429. */
  | "limited"
  /** 5xx, or the server is closing the stream. */
  | "unavailable"
  /** Nothing was reached. */
  | "network"
  /** The stream was open, but nothing came for longer than heartbeats take. */
  | "silent"
  /** Something answered, but not rowcast. */
  | "protocol";

const FINAL: ReadonlySet<ErrorKind> = new Set(["unauthorized", "forbidden", "refused", "disconnected"]);

/** What went wrong, and whether to try again is of use. */
export class RowcastError extends Error {
  override readonly name = "RowcastError";
  readonly kind: ErrorKind;
  /** The code of the server's error body, where there is one. */
  readonly code: string | undefined;
  /** How long the server wants to be left alone, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    details: { code?: string | undefined; retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.code = details.code;
    this.retryAfter = details.retryAfter;
  }

  /** Another attempt of the same kind would end in the same way. */
  get final(): boolean {
    return FINAL.has(this.kind);
  }
}

/** What a thrown value amounts to: whatever `fetch` throws is a network that was not there. */
export function toRowcastError(thrown: unknown): RowcastError {
  if (thrown instanceof RowcastError) return thrown;
  if (thrown instanceof RangeError) return new RowcastError("protocol", thrown.message, { cause: thrown });
  return new RowcastError("network", "the server cannot be reached", { cause: thrown });
}

/** The end of what nobody has failed at: the next attempt starts at once. */
export const AGAIN = new RowcastError("network", "another attempt was asked for");
