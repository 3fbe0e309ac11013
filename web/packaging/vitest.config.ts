// Tests of the package as apps get it: packed, installed, imported. `npm run package` comes first.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    // TypeScript reads all of the package several times over, on machines that may have other things to do.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
