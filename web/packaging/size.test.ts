// How much of an app's bundle each entry point takes: bundled, minified, gzipped. What it imports of others (React) is not counted.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { entries, specifierOf, WEB } from "./entries.js";

/** The promise of README.md: `connect` and all that it takes, in less than six kibibytes. */
const CORE_BELOW = 6 * 1024;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rowcast-size-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** The size in bytes of an app that does nothing but this. */
async function sizeOf(name: string, source: string): Promise<number> {
  const main = join(directory, `${name}.js`);
  await writeFile(main, source);
  const built = await build({
    root: WEB,
    configFile: false,
    logLevel: "error",
    resolve: {
      alias: Object.keys(entries()).map((entry) => ({
        find: new RegExp(`^${specifierOf(entry)}$`),
        replacement: join(WEB, "lib", `${entry}.js`),
      })),
    },
    build: {
      write: false,
      minify: true,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: main, external: [/^react/, /^@tanstack\//] },
    },
  });
  const outputs = [built].flat().flatMap((bundle) => ("output" in bundle ? bundle.output : []));
  const code = outputs.map((output) => (output.type === "chunk" ? output.code : "")).join("\n");
  return gzipSync(code, { level: 9 }).length;
}

const report = (what: string, bytes: number) =>
  process.stdout.write(`${what.padEnd(48)}${bytes.toLocaleString("en-US").padStart(8)} B\n`);

it(`connect is below ${CORE_BELOW} bytes`, async () => {
  const bytes = await sizeOf(
    "core",
    'import { connect } from "@rowcast/client"; globalThis.connect = connect;',
  );
  report('import { connect } from "@rowcast/client"', bytes);
  expect(bytes).toBeGreaterThan(1024);
  expect(bytes).toBeLessThan(CORE_BELOW);
});

it("an entry point that is not used costs nothing", async () => {
  const imports = Object.keys(entries()).map((name) => `import "${specifierOf(name)}";`);
  expect(await sizeOf("nothing", imports.join("\n"))).toBeLessThan(100);
});

it.each(Object.keys(entries()))("reports all of %s", async (name) => {
  const bytes = await sizeOf(
    `all-${name}`,
    `import * as all from "${specifierOf(name)}"; globalThis.all = all;`,
  );
  report(`import * from "${specifierOf(name)}"`, bytes);
  expect(bytes).toBeGreaterThan(100);
});
