// What is to be seen of a token from outside: where it stands in what was pasted, whom it names, when it ends. Nothing is
// trusted on its word; the server alone decides.

export interface Claims {
  /** The user id. */
  readonly user: string | null;
  /** In milliseconds of wall time; null when it does not say, or is no JWT. */
  readonly expiresAt: number | null;
}

const UNKNOWN: Claims = { user: null, expiresAt: null };

/** Names under which sign-in services hand out tokens. */
const FIELDS = ["token", "access_token", "accessToken", "id_token", "idToken"];

/**
 * The token in what somebody pasted: the token itself, a signed-in link, an `Authorization` header, or the JSON answer of
 * a sign-in service. Line breaks of a terminal are taken out. Null when there is none.
 */
export function tokenIn(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return tokenInJson(trimmed);
  const hash = trimmed.indexOf("#");
  if (hash >= 0) return tokenInFragment(trimmed.slice(hash + 1));
  const bare = trimmed
    .replace(/^["'`]+|["'`]+$/g, "")
    .replace(/^authorization:\s*/i, "")
    .replace(/^bearer(\s+|$)/i, "")
    .replace(/\s+/g, "");
  return bare || null;
}

/** `token=…`, alone or behind a route: `/admin?organization=o1&token=…`. */
function tokenInFragment(fragment: string): string | null {
  const query = fragment.slice(fragment.indexOf("?") + 1);
  const values = new URLSearchParams(query);
  return FIELDS.map((field) => values.get(field)).find((value) => value) ?? null;
}

function tokenInJson(text: string): string | null {
  const answer = parse(text);
  for (const field of FIELDS) {
    const value = answer?.[field];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/** Reads a JWT's payload, without judging it. */
export function claimsOf(token: string): Claims {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = parse(new TextDecoder().decode(bytes));
    const { sub, exp } = claims ?? {};
    return {
      user: typeof sub === "string" ? sub : null,
      expiresAt: typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : null,
    };
  } catch {
    return UNKNOWN;
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
