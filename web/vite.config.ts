// Builds the dashboard into dist/, which the server embeds. Its pages must run under a policy of `'self'` alone (src/http/security.rs), so
// nothing may be inlined: no data: URLs, no module-preload script, no style attributes in the markup.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // What is bundled wants its licences to go with it, into the binary too.
    license: { fileName: "licences.md" },
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: {
    proxy: { "/api": process.env.ROWCAST_URL ?? "http://127.0.0.1:8080" },
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "react-19", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
      },
      "./react-18/vitest.config.ts",
    ],
  },
});
