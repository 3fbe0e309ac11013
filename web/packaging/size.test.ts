// How much of an app's bundle each entry point takes: bundled, minified, gzipped. What it imports of others (React) is not counted;
// what it loads only when it is needed (polls where streams do not pass, charts) is reported apart.

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";
import { expect, it } from "vitest";
import { entries, specifierOf, WEB } from "./entries.js";

/** The promise of README.md: `connect`, and all that is loaded with it, in less than six kibibytes. */
const CORE_BELOW = 6 * 1024;

interface Size {
  /** Bytes that a page loads at once. */
  readonly first: number;
  /** Bytes that it may load later. */
  readonly later: number;
}

/** The size of an app that is nothing but this. */
async function sizeOf(source: string): Promise<Size> {
  const main = "main.js";
  const bundle = await rolldown({
    input: main,
    platform: "browser",
    external: [/^react(-dom)?(\/|$)/, /^@tanstack\//],
    // Found by rolldown itself, which asks package.json whether a module that nothing is taken of must be there.
    resolve: {
      alias: Object.fromEntries(
        Object.keys(entries()).map((name) => [`${specifierOf(name)}$`, join(WEB, "lib", `${name}.js`)]),
      ),
    },
    plugins: [
      {
        name: "app",
        resolveId: (id) => (id === main ? { id, moduleSideEffects: true } : null),
        load: (id) => (id === main ? source : null),
      },
    ],
    // "use client" is for frameworks that know it.
    checks: { moduleLevelDirective: false },
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const chunks = output.filter((one) => one.type === "chunk");
  const first = loadedWith(
    chunks.filter(({ isEntry }) => isEntry),
    chunks,
  );
  return { first: gzipped(first), later: gzipped(chunks.filter((chunk) => !first.includes(chunk))) };
}

/** These chunks, and what they import without being asked to. */
function loadedWith(wanted: readonly OutputChunk[], all: readonly OutputChunk[]): OutputChunk[] {
  const found = new Set(wanted);
  for (const chunk of found)
    for (const other of all) if (chunk.imports.includes(other.fileName)) found.add(other);
  return [...found];
}

const gzipped = (chunks: readonly OutputChunk[]): number =>
  chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);

function report(what: string, { first, later }: Size): void {
  const bytes = (count: number) => `${count.toLocaleString("en-US").padStart(7)} B`;
  process.stdout.write(`${what.padEnd(48)}${bytes(first)}${later > 0 ? `, later ${bytes(later)}` : ""}\n`);
}

it(`connect is below ${CORE_BELOW} bytes`, async () => {
  const size = await sizeOf('import { connect } from "@rowcast/client"; globalThis.connect = connect;');
  report('import { connect } from "@rowcast/client"', size);
  expect(size.first).toBeGreaterThan(1024);
  expect(size.first).toBeLessThan(CORE_BELOW);
});

it("an entry point that is not used costs nothing", async () => {
  const imports = Object.keys(entries()).map((name) => `import "${specifierOf(name)}";`);
  expect(await sizeOf(imports.join("\n"))).toEqual({ first: gzipSync("").length, later: 0 });
});

it.each(Object.keys(entries()))("reports all of %s", async (name) => {
  const size = await sizeOf(`import * as all from "${specifierOf(name)}"; globalThis.all = all;`);
  report(`import * from "${specifierOf(name)}"`, size);
  expect(size.first).toBeGreaterThan(100);
});
