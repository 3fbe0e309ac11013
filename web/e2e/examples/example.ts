// An example as somebody would run it: installed, built, and served from its own folder.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { run } from "../../packaging/commands.js";

export class Example {
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(name: string) {
    this.#directory = fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
  }

  /** Exactly what the lockfile says, and the package as it has just been built. */
  async install(): Promise<void> {
    await run("npm", ["ci"], { cwd: this.#directory });
  }

  async build(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await run("npm", ["run", "build"], { cwd: this.#directory, env });
  }

  /** Runs a script of package.json that serves. Returns once it says where. */
  async serve(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    // Without npm in between, which would not hand signals on to what it runs.
    const [command = "", ...rest] = await this.#script(script);
    const child = spawn(command, [...rest, ...args], {
      cwd: this.#directory,
      env: { ...process.env, PATH: `${this.#directory}/node_modules/.bin:${process.env.PATH}`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let log = "";
    child.stderr.on("data", (bytes) => {
      log += bytes;
    });
    for await (const line of createInterface({ input: child.stdout })) {
      log += `${line}\n`;
      if (/https?:\/\//.test(line)) {
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`${script} of the example did not start:\n${log}`);
  }

  async #script(name: string): Promise<string[]> {
    const text = await run("npm", ["pkg", "get", `scripts.${name}`], { cwd: this.#directory });
    return JSON.parse(text).split(" ");
  }

  async stop(): Promise<void> {
    if (!this.#process || this.#process.exitCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }
}

/** A port that was free a moment ago: the demo must be told the page's origin before the page is served. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port is free");
  return address.port;
}
