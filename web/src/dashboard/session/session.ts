// Who is signed in: a token, from the address bar's fragment (which no server ever sees) or pasted, kept for this tab.
// Signing out signs the same user out in all tabs of this browser.

import type { TokenSource } from "../../connection.js";
import { claimsOf, tokenIn } from "./token.js";

const KEY = "rowcast.token";
const CHANNEL = "rowcast.session";

export class Session {
  #token: string | null;
  /** What the stream was given last. */
  #offered: string | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #tabs: BroadcastChannel;

  constructor() {
    this.#token = takeFromAddress() ?? sessionStorage.getItem(KEY);
    this.#tabs = new BroadcastChannel(CHANNEL);
    this.#tabs.addEventListener("message", ({ data }) => {
      if (this.#token !== null && data === signOutOf(this.#token)) this.#set(null);
    });
    window.addEventListener("hashchange", () => {
      const fresh = takeFromAddress();
      if (fresh !== null) this.#set(fresh);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly token = (): string | null => this.#token;

  /**
   * For the stream: always the newest token. One that was refused is not offered again: the page asks for another. While
   * the one in use expires, the answer waits for somebody to bring one.
   */
  readonly source: TokenSource = ({ refused, expiring }) => {
    if (expiring && this.#token === this.#offered) return this.#next();
    this.#offered = this.#token;
    return this.#token === refused ? null : this.#token;
  };

  /** Signs in, or goes on with a newer token of the same user. */
  signIn(token: string): void {
    this.#set(token);
  }

  signOut(): void {
    if (this.#token !== null) this.#tabs.postMessage(signOutOf(this.#token));
    this.forget();
  }

  /** Of this tab alone: the token was of no use. */
  forget(): void {
    this.#set(null);
  }

  #next(): Promise<string | null> {
    return new Promise((resolve) => {
      const stop = this.subscribe(() => {
        stop();
        this.#offered = this.#token;
        resolve(this.#token);
      });
    });
  }

  #set(token: string | null): void {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
    this.#token = token;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What tabs tell each other: whose sessions end, and never the token. A token that names nobody signs out alone. */
function signOutOf(token: string): string {
  const { user } = claimsOf(token);
  return `sign-out ${user ?? crypto.randomUUID()}`;
}

/** Moves `#token=…` out of sight, so that it is neither bookmarked nor shown to those who look at the screen. */
function takeFromAddress(): string | null {
  if (!location.hash) return null;
  const token = tokenIn(location.hash);
  if (token === null) return null;
  sessionStorage.setItem(KEY, token);
  const [path = "", query = ""] = location.hash.split("?", 2);
  const rest = new URLSearchParams(query);
  rest.delete("token");
  const route = path.startsWith("#/") ? `${path}${rest.size > 0 ? `?${rest}` : ""}` : "";
  history.replaceState(null, "", location.pathname + location.search + route);
  return token;
}
