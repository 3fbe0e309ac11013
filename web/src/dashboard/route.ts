// Which page is shown, and of which organization: the fragment of the address, so that it can be shared, needs no server,
// and the back button works. `#/admin?organization=o1`. Never the token.

import { useSyncExternalStore } from "react";

export const PAGES = ["live", "admin"] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  readonly page: PageName;
  /** The organization that everything is narrowed to; null for all that the user may see. */
  readonly organization: string | null;
}

/** Reads a fragment; whatever it does not know is the live page. */
export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?", 2);
  const page = PAGES.find((name) => name === path) ?? "live";
  return { page, organization: new URLSearchParams(query).get("organization") || null };
}

/** The fragment of a route, to be the `href` of a link. */
export function hrefOf({ page, organization }: Route): string {
  const path = page === "live" ? "#/" : `#/${page}`;
  return organization === null ? path : `${path}?${new URLSearchParams({ organization })}`;
}

export function goTo(route: Route): void {
  location.hash = hrefOf(route);
}

/** The route that the address bar shows. */
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

let route: Route = { page: "live", organization: null };
let fragment: string | null = null;

/** The same object for as long as the address is the same. */
function current(): Route {
  if (location.hash !== fragment) {
    fragment = location.hash;
    route = parseRoute(fragment);
  }
  return route;
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}
