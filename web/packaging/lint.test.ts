// What the tools say that look at packages.

import { expect, it } from "vitest";
import { run } from "./commands.js";
import { entries, manifest, specifierOf, WEB } from "./entries.js";

it("publint finds nothing", async () => {
  expect(await run("npx", ["publint", "--strict"], { cwd: WEB })).toContain("All good!");
});

it("are the types wrong? No: ESM alone, whichever way it is resolved", async () => {
  const stylesheets = Object.keys(manifest().exports).filter((path) => path.endsWith(".css"));
  const excluded = stylesheets.length > 0 ? ["--exclude-entrypoints", ...stylesheets] : [];
  const args = ["attw", "--pack", "--profile", "esm-only", "--no-color", ...excluded];
  const printed = await run("npx", args, { cwd: WEB });
  for (const name of Object.keys(entries()))
    expect(printed).toContain(`"${specifierOf(name)}"\n\nnode16 (from ESM): 🟢 (ESM)\nbundler: 🟢`);
});
