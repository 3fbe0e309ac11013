// A page of somebody's that shows the components, built as an app would build it, on an origin of its own that passes
// requests on to the server.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type PreviewServer, preview } from "vite";

const ROOT = fileURLToPath(new URL("../host", import.meta.url));

export class HostPage {
  readonly url: string;
  readonly #server: PreviewServer;
  readonly #directory: string;

  private constructor(server: PreviewServer, directory: string) {
    this.#server = server;
    this.#directory = directory;
    this.url = server.resolvedUrls?.local[0] ?? "";
  }

  static async start(serverUrl: string): Promise<HostPage> {
    const directory = mkdtempSync(join(tmpdir(), "rowcast-host-"));
    const shared = {
      configFile: false,
      root: ROOT,
      logLevel: "error",
      build: { outDir: directory },
    } as const;
    await build(shared);
    const server = await preview({
      ...shared,
      preview: { host: "127.0.0.1", port: 0, proxy: { "/api": serverUrl } },
    });
    return new HostPage(server, directory);
  }

  async stop(): Promise<void> {
    await this.#server.close();
    rmSync(this.#directory, { recursive: true });
  }
}
