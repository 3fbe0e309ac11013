// The reference of everything that the package exports, written to api/ (`npm run docs`). Whatever is exported must be
// documented, and every name in a signature must be exported too.

import { join } from "node:path";
import { Application, type DeclarationReflection } from "typedoc";
import { expect, it } from "vitest";
import { entries, WEB } from "./entries.js";

/** A function's comment belongs to its signature; what one entry point has from another is documented there. */
const isDocumented = (exported: DeclarationReflection): boolean =>
  exported.isReference() ||
  exported.hasComment() ||
  (exported.signatures?.some((signature) => signature.hasComment()) ?? false);

it("every export is documented, and so is what it speaks of", async () => {
  const app = await Application.bootstrap({
    name: "@rowcast/client",
    entryPoints: Object.values(entries()).map((source) => join(WEB, source)),
    tsconfig: join(WEB, "tsconfig.package.json"),
    readme: join(WEB, "README.md"),
    excludePrivate: true,
    excludeProtected: true,
    disableGit: true,
    sourceLinkTemplate: "web/{path}",
    // What tabs say to each other is their own affair; a range of a cursor is a pair of ids, as is written there.
    intentionallyNotExported: ["src/tabs/news.ts:Message", "src/cursor.ts:Range"],
    validation: { notExported: true, invalidLink: true },
  });
  const complaints: string[] = [];
  app.logger.warn = (message) => complaints.push(message);
  app.logger.error = (message) => complaints.push(message);
  const project = await app.convert();
  if (!project) throw new Error(`typedoc has read nothing:\n${complaints.join("\n")}`);
  app.validate(project);
  for (const module of project.children ?? [])
    for (const exported of module.children ?? [])
      if (!isDocumented(exported)) complaints.push(`${exported.getFriendlyFullName()} has no documentation`);
  expect(complaints).toEqual([]);

  expect(project.children?.map(({ name }) => name).sort()).toEqual(Object.keys(entries()).sort());
  await app.generateDocs(project, join(WEB, "api"));
  expect(complaints).toEqual([]);
});
