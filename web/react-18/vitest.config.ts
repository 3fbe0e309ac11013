// The tests of everything that is made of React, once more with React 18.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineProject } from "vitest/config";

const modules = fileURLToPath(new URL("node_modules", import.meta.url));
if (!existsSync(modules))
  throw new Error("web/react-18 is not installed: run `npm ci --prefix web/react-18`");

export default defineProject({
  resolve: {
    alias: [{ find: /^(react|react-dom)(?=$|\/)/, replacement: `${modules}/$1` }],
  },
  test: {
    name: "react-18",
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: ["src/react/**/*.test.tsx", "src/tanstack-query/**/*.test.tsx", "react-18/*.test.ts"],
    restoreMocks: true,
    // Only what is transformed goes by the alias.
    server: { deps: { inline: [/@tanstack/] } },
  },
});
