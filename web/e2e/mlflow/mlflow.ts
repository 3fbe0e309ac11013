// MLflow as somebody has it: its own tables in Postgres, and a training script that knows of nothing else.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../packaging/commands.js";

const SCRIPT = fileURLToPath(new URL("../../../examples/mlflow/train.py", import.meta.url));

export class MLflow {
  readonly #python: string;
  readonly #store: string;
  /** Where it would put models and files. */
  readonly #directory = mkdtempSync(join(tmpdir(), "rowcast-mlflow-"));

  constructor(databaseUrl: string) {
    const python = process.env.ROWCAST_MLFLOW_PYTHON;
    if (!python)
      throw new Error(
        "ROWCAST_MLFLOW_PYTHON must name a Python that has MLflow: scripts/mlflow.sh makes one",
      );
    this.#python = python;
    // SQLAlchemy wants to be told which driver.
    this.#store = databaseUrl.replace(/^postgres(ql)?:/, "postgresql+psycopg2:");
  }

  async makeTables(): Promise<void> {
    await this.#run(join(dirname(this.#python), "mlflow"), ["db", "upgrade", this.#store]);
  }

  async train(): Promise<void> {
    await this.#run(this.#python, [SCRIPT]);
  }

  /** One value, in a run of its own. */
  async log(key: string, value: string, step: string): Promise<void> {
    await this.#run(this.#python, [
      "-c",
      `import mlflow; mlflow.log_metric("${key}", ${value}, step=${step})`,
    ]);
  }

  async #run(command: string, args: readonly string[]): Promise<void> {
    await run(command, args, {
      cwd: this.#directory,
      env: { MLFLOW_TRACKING_URI: this.#store, MLFLOW_DISABLE_TELEMETRY: "true" },
    });
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}
