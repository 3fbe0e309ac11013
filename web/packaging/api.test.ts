// The reference of everything that the package exports, written to api/ (`npm run docs`). Whatever is exported must be
// documented, and every name in a signature must be exported too.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Application } from "typedoc";
import { expect, it } from "vitest";
import { entries, WEB } from "./entries.js";

it("every export is documented", async () => {
  const app = await Application.bootstrap({
    name: "@rowcast/client",
    entryPoints: Object.values(entries()).map((source) => join(WEB, source)),
    tsconfig: join(WEB, "tsconfig.json"),
    readme: join(WEB, "README.md"),
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    disableGit: true,
    sourceLinkTemplate: "web/{path}",
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    requiredToBeDocumented: ["Class", "Function", "Interface", "TypeAlias", "Variable"],
    logLevel: "Warn",
  });
  const warnings: string[] = [];
  app.logger.warn = (message) => warnings.push(message);
  app.logger.error = (message) => warnings.push(message);
  const project = await app.convert();
  expect(warnings).toEqual([]);
  if (!project) throw new Error("typedoc has read nothing");
  app.validate(project);
  await app.generateDocs(project, join(WEB, "api"));
  expect(warnings).toEqual([]);
  for (const name of Object.keys(entries()))
    expect(existsSync(join(WEB, "api/modules", `${name.replace("-", "_")}.html`)), name).toBe(true);
});
