// lib/THIRD-PARTY-LICENSES.txt: the licence of whatever else is in the package. Most licences ask for just that.

import { existsSync, readFileSync } from "node:fs";
import type { Rolldown } from "tsdown";

const FILE = "THIRD-PARTY-LICENSES.txt";

export function licences(): Rolldown.Plugin {
  return {
    name: "rowcast-licences",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((output) =>
        output.type === "chunk" ? output.moduleIds : [],
      );
      const directories = new Set(modules.flatMap((id) => packageDirectory(id) ?? []));
      const texts = [...directories].sort().map(licenceOf);
      if (texts.length > 0) this.emitFile({ type: "asset", fileName: FILE, source: texts.join("\n") });
    },
  };
}

/** `…/node_modules/uplot` for a file of it; nothing for a file of ours. */
export const packageDirectory = (file: string): string | undefined =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

/** The licence of a package, under its name and version. A package without one cannot be shipped. */
export function licenceOf(directory: string): string {
  const { name, version } = JSON.parse(readFileSync(`${directory}/package.json`, "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"]
    .map((file) => `${directory}/${file}`)
    .find(existsSync);
  if (!file) throw new Error(`${name} has no licence to ship with what is built from it`);
  return `${name} ${version}\n\n${readFileSync(file, "utf8").trim()}\n`;
}
