// The entry points of the package, as package.json's `exports` names them, and what each is built from. That list is the
// only one: the build, the size check, the documentation and the tests go by it.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const WEB = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

export function manifest(): Manifest {
  return JSON.parse(readFileSync(`${WEB}package.json`, "utf8"));
}

/** `index` for the package itself, otherwise what follows the slash: the name of the file in lib/. */
const nameOf = (path: string): string => (path === "." ? "index" : path.slice("./".length));

/** The entry points that are modules: name → source. */
export function entries(): Record<string, string> {
  const modules = Object.entries(manifest().exports).filter(([, target]) => typeof target === "object");
  return Object.fromEntries(modules.map(([path]) => [nameOf(path), sourceOf(nameOf(path))]));
}

/** What an app imports: `@rowcast/client/react` for `react`. */
export const specifierOf = (name: string): string =>
  name === "index" ? "@rowcast/client" : `@rowcast/client/${name}`;

function sourceOf(name: string): string {
  const candidates = name === "index" ? ["src/index.ts"] : [`src/${name}/index.ts`, `src/${name}.ts`];
  const source = candidates.find((path) => existsSync(WEB + path));
  if (source) return source;
  throw new Error(`package.json exports ./${name}, but there is neither of ${candidates.join(", ")}`);
}
