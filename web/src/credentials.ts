// Who asks: the token in use, and what became of it.

import type { TokenSource } from "./connection.js";
import { RowcastError } from "./errors.js";

export class Credentials {
  readonly #source: TokenSource | undefined;
  #token: string | undefined;
  /** How often a token was asked for: what was asked for before may come later. */
  #asked = 0;
  /** The token that was turned down since the last good answer, and that answer. */
  #refusal: { token: string; error: RowcastError } | null = null;

  constructor(source: TokenSource | undefined) {
    this.#source = source;
  }

  /** The one to ask with now; absent where the browser has a cookie. */
  get token(): string | undefined {
    return this.#token;
  }

  /** The token of the next attempt; throws when there is none that could do better. */
  async next(): Promise<string | undefined> {
    if (!this.#source) return undefined;
    const refused = this.#refusal;
    this.#asked += 1;
    const asked = this.#asked;
    const token = await this.#source({ refused: refused?.token ?? null, expiring: false });
    if (token === null || token === refused?.token)
      throw refused?.error ?? new RowcastError("unauthorized", "there is no token");
    if (asked === this.#asked) this.#token = token;
    return token;
  }

  /** Another one than that in use, which is about to end; null when there is none. */
  async renewed(): Promise<string | null> {
    const token = (await this.#source?.({ refused: null, expiring: true })) ?? null;
    return token === this.#token ? null : token;
  }

  use(token: string): void {
    this.#token = token;
  }

  /** The server has said 401 or 403. Whether another token may do better: once. */
  refuse(error: RowcastError): boolean {
    if (this.#refusal || this.#token === undefined) return false;
    this.#refusal = { token: this.#token, error };
    return true;
  }

  /** The server has let us in, or somebody wants it to be tried anew. */
  forgive(): void {
    this.#refusal = null;
  }
}
