// Pages of an app, on an origin of their own: what lies in e2e/pages, built on the way by Vite.

import { fileURLToPath } from "node:url";
import { createServer, type ViteDevServer } from "vite";

export class Pages {
  readonly origin: string;
  readonly #server: ViteDevServer;

  private constructor(server: ViteDevServer, origin: string) {
    this.#server = server;
    this.origin = origin;
  }

  static async serve(): Promise<Pages> {
    const server = await createServer({
      configFile: false,
      root: fileURLToPath(new URL("../pages", import.meta.url)),
      cacheDir: fileURLToPath(new URL("../../node_modules/.vite-pages", import.meta.url)),
      logLevel: "error",
      // Nothing may reload a page in the middle of a test.
      server: { host: "127.0.0.1", port: 0, hmr: false, watch: null, fs: { allow: ["../.."] } },
      optimizeDeps: {
        noDiscovery: true,
        include: ["react", "react-dom/client", "react/jsx-dev-runtime"],
      },
    });
    await server.listen();
    const address = server.httpServer?.address();
    if (!address || typeof address === "string") throw new Error("the pages are not served");
    return new Pages(server, `http://127.0.0.1:${address.port}`);
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
