// `rowcast demo`: the example app with its simulated users, and a server for it, on a database of the test's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BINARY, type Settings } from "./server.js";

/** Quicker than the app's own pace, so that nobody waits for a document. */
const SPEED = "5";

export class Demo {
  readonly url: string;
  /** What its links sign in with: `user_sam`, `user_ada`, `user_ben`. */
  readonly tokens: readonly string[];
  readonly secret: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, tokens: readonly string[], process: ChildProcess, directory: string) {
    this.url = url;
    this.tokens = tokens;
    this.secret = readFileSync(join(directory, "jwt-secret"), "utf8");
    this.#process = process;
    this.#directory = directory;
  }

  static async start(databaseUrl: string, settings: Settings = {}): Promise<Demo> {
    const directory = mkdtempSync(join(tmpdir(), "rowcast-demo-"));
    const child = spawn(BINARY, ["demo", "--directory", directory, "--speed", SPEED], {
      env: { ...process.env, DATABASE_URL: databaseUrl, ROWCAST_LISTEN_ADDR: "127.0.0.1:0", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (bytes) => {
      log += bytes;
    });
    const tokens: string[] = [];
    let url = "";
    for await (const line of createInterface({ input: child.stdout })) {
      url = /^listening on (https?:\S+)/.exec(line)?.[1] ?? url;
      tokens.push(...(/#token=(\S+)/.exec(line)?.slice(1) ?? []));
      if (line.startsWith("Ctrl-C stops everything")) {
        child.stdout.resume();
        return new Demo(url, tokens, child, directory);
      }
    }
    throw new Error(`the demo did not start:\n${log}`);
  }

  async stop(): Promise<void> {
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
    rmSync(this.#directory, { recursive: true });
  }
}
