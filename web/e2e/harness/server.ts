// The server under test, as a process that can be killed.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const BINARY =
  process.env.ROWCAST_BIN ?? fileURLToPath(new URL("../../../target/debug/rowcast", import.meta.url));
const SECRET = "a secret for tests, long enough for HS256";

/** Further settings, as environment variables. */
export type Settings = Readonly<Record<string, string>>;

const environment = (databaseUrl: string, address: string, settings: Settings = {}) => ({
  ...process.env,
  DATABASE_URL: databaseUrl,
  ROWCAST_JWT_SECRET: SECRET,
  ROWCAST_LISTEN_ADDR: address,
  ...settings,
});

export async function migrate(databaseUrl: string): Promise<void> {
  await promisify(execFile)(BINARY, ["migrate"], { env: environment(databaseUrl, "") });
}

/** `validFor` as the command takes it: `90s`, `1h`. */
export async function signToken(user: string, validFor = "1h"): Promise<string> {
  const env = { ...process.env, ROWCAST_JWT_SECRET: SECRET };
  const what = ["token", "--user", user, "--valid-for", validFor];
  const { stdout } = await promisify(execFile)(BINARY, what, { env });
  return stdout.trim();
}

export class Server {
  readonly url: string;
  readonly #databaseUrl: string;
  readonly #settings: Settings;
  #process: ChildProcess;

  private constructor(databaseUrl: string, settings: Settings, url: string, process: ChildProcess) {
    this.#databaseUrl = databaseUrl;
    this.#settings = settings;
    this.url = url;
    this.#process = process;
  }

  static async start(databaseUrl: string, settings: Settings = {}): Promise<Server> {
    const { process, url } = await launch(databaseUrl, "127.0.0.1:0", settings);
    return new Server(databaseUrl, settings, url, process);
  }

  /** Without a goodbye, as when the machine loses power. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** As an orchestrator does it; returns when every stream has been told. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill(signal);
    await exit;
  }

  /** Starts again where it was. */
  async restart(): Promise<void> {
    this.#process = (await launch(this.#databaseUrl, new URL(this.url).host, this.#settings)).process;
  }
}

async function launch(
  databaseUrl: string,
  address: string,
  settings: Settings,
): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(BINARY, ["serve"], {
    env: environment(databaseUrl, address, settings),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (bytes) => {
    log += bytes;
  });
  // Ends with the process, so a server that fails to start is noticed at once.
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^listening on (https?:\S+)/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return { process: child, url };
    }
  }
  throw new Error(`the server did not start:\n${log}`);
}
