// A Postgres of a test's own, which can be stopped and started again. Its programs, and the user who may run them, are
// those of the Postgres that `DATABASE_URL` names, which must be on this machine.

import { execFile } from "node:child_process";
import { chown, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

interface Programs {
  readonly directory: string;
  /** initdb refuses root: the owner of the other one's data. Undefined where tests do not run as root. */
  readonly as: { uid: number; gid: number } | undefined;
}

export class PrivatePostgres {
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #port: number;

  private constructor(programs: Programs, directory: string, port: number) {
    this.#programs = programs;
    this.#directory = directory;
    this.#port = port;
  }

  static async start(): Promise<PrivatePostgres> {
    const programs = await findPrograms();
    const directory = await mkdtemp(join(tmpdir(), "rowcast-e2e-pg-"));
    if (programs.as) await chown(directory, programs.as.uid, programs.as.gid);
    const postgres = new PrivatePostgres(programs, directory, await freePort());
    await postgres.#run(
      "initdb",
      "--auth=trust",
      "--username=postgres",
      "--no-sync",
      "--pgdata",
      postgres.#data,
    );
    await postgres.restart();
    return postgres;
  }

  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  get #data(): string {
    return join(this.#directory, "data");
  }

  /** Ends all sessions at once. */
  async stop(): Promise<void> {
    await this.#run("pg_ctl", "stop", "--mode=fast", "--wait", "--pgdata", this.#data);
  }

  /** Starts it again, where it was. */
  async restart(): Promise<void> {
    const options = `-c listen_addresses=127.0.0.1 -c port=${this.#port} -c unix_socket_directories='' -c fsync=off`;
    const log = join(this.#directory, "log");
    await this.#run("pg_ctl", "start", "--wait", "--pgdata", this.#data, "--log", log, "--options", options);
  }

  async remove(): Promise<void> {
    await this.stop().catch(() => {});
    await rm(this.#directory, { recursive: true });
  }

  async #run(program: string, ...arguments_: string[]): Promise<void> {
    const { directory, as } = this.#programs;
    // What it starts inherits its output: it must not be waited for.
    await run(join(directory, program), arguments_, { ...as, cwd: this.#directory });
  }
}

async function findPrograms(): Promise<Programs> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    const { rows } = await client.query<{ directory: string; data: string }>(
      `SELECT setting AS directory, current_setting('data_directory') AS data FROM pg_config WHERE name = 'BINDIR'`,
    );
    const [found] = rows;
    if (!found) throw new Error("the Postgres of DATABASE_URL does not say where its programs are");
    const { uid, gid } = await stat(found.data);
    return { directory: found.directory, as: process.getuid?.() === 0 ? { uid, gid } : undefined };
  } finally {
    await client.end();
  }
}

/** Below those that the kernel hands out to others by itself. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer()
        .once("error", () => resolve(false))
        .listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
