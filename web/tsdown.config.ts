// Builds the package into lib/, which is what `npm pack` takes. The dashboard is vite.config.ts's.
import { defineConfig } from "tsdown";
import { entries } from "./packaging/entries.js";
import { licences } from "./packaging/licences.js";
import { styles } from "./packaging/styles.js";

export default defineConfig({
  entry: entries(),
  outDir: "lib",
  // Without the tests and the dashboard, whose types would only take time.
  tsconfig: "tsconfig.package.json",
  format: "esm",
  platform: "browser",
  target: "es2022",
  // As package.json names them: with "type": "module", .js is enough.
  fixedExtension: false,
  sourcemap: true,
  dts: { sourcemap: false },
  // Whoever imports the package has React or needs none; all else that is used is in it, and must be named here.
  deps: { onlyBundle: ["uplot"] },
  plugins: [styles(), licences()],
  // A slow machine is no mistake.
  checks: { pluginTimings: false },
  failOnWarn: true,
});
