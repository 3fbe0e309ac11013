// Who is signed in: a token, from the address bar's fragment (which no server ever sees) or pasted, kept for this tab.

import { useEffect, useState } from "react";

const KEY = "rowcast.token";

/** The token and its setter; null signs out. */
export function useToken(): [string | null, (token: string | null) => void] {
  const [token, setToken] = useState(() => takeFromAddress() ?? sessionStorage.getItem(KEY));
  useEffect(() => {
    const onHashChange = (): void => {
      const fresh = takeFromAddress();
      if (fresh) setToken(fresh);
    };
    window.addEventListener("hashchange", onHashChange);
    return () => window.removeEventListener("hashchange", onHashChange);
  }, []);
  const change = (next: string | null): void => {
    if (next === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, next);
    setToken(next);
  };
  return [token, change];
}

/** Moves `#token=…` out of sight, so that it is neither bookmarked nor shown to those who look at the screen. */
function takeFromAddress(): string | null {
  const token = tokenIn(location.hash);
  if (!location.hash || !token) return null;
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** The token in a signed-in link, or a text that is one itself. */
export function tokenIn(text: string): string | null {
  const hash = text.indexOf("#");
  if (hash < 0) return text.trim() || null;
  return new URLSearchParams(text.slice(hash + 1).trim()).get("token");
}

/** The user that a token names, to be shown; nothing is trusted on its word. */
export function userOf(token: string): string | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const subject = (claims as { sub?: unknown } | null)?.sub;
    return typeof subject === "string" ? subject : null;
  } catch {
    return null;
  }
}
