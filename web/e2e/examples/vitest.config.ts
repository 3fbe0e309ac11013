// Tests of the examples: installed with the packed package, built, and driven in a real Chromium against the real demo. `npm run package` comes first.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    testTimeout: 60_000,
    // A fresh machine downloads Next.js first, which has 340 MB.
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
