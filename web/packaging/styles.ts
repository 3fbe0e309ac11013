// lib/styles.css: every stylesheet of the components in one file, which a page can take as it is.

import type { Rolldown } from "tsdown";
import { build } from "vite";
import { manifest, WEB } from "./entries.js";

const SOURCE = "src/components/styles/index.css";

/** Bundles the stylesheet that package.json exports, if it does. */
export function styles(): Rolldown.Plugin {
  return {
    name: "rowcast-styles",
    async generateBundle() {
      if (!("./styles.css" in manifest().exports)) return;
      this.emitFile({ type: "asset", fileName: "styles.css", source: await bundleStyles() });
    },
  };
}

async function bundleStyles(): Promise<string | Uint8Array> {
  const built = await build({
    root: WEB,
    configFile: false,
    logLevel: "warn",
    // Nothing may be inlined: the pages that load it may forbid data: URLs. Nothing is rewritten: what an app's browsers need, its own build knows.
    build: { write: false, assetsInlineLimit: 0, cssMinify: false, rolldownOptions: { input: WEB + SOURCE } },
  });
  const outputs = [built].flat().flatMap((bundle) => ("output" in bundle ? bundle.output : []));
  const assets = outputs.filter((output) => output.type === "asset");
  const sheet = assets.find(({ fileName }) => fileName.endsWith(".css"));
  if (!sheet || assets.length > 1)
    throw new Error(
      `${SOURCE} must become one stylesheet and nothing else, but became ${assets.length} files`,
    );
  return sheet.source;
}
