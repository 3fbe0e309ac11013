// A test of an app that nobody here wrote: MLflow, in the Python that scripts/mlflow.sh has made. `npm run package` comes first.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
