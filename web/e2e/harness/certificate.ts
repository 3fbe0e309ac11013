// A certificate for 127.0.0.1 that nobody has signed, in files that a server reads.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Certificate {
  readonly #directory = mkdtempSync(join(tmpdir(), "rowcast-e2e-"));
  readonly settings = {
    ROWCAST_TLS_CERT: join(this.#directory, "cert.pem"),
    ROWCAST_TLS_KEY: join(this.#directory, "key.pem"),
  };

  constructor() {
    const { ROWCAST_TLS_CERT, ROWCAST_TLS_KEY } = this.settings;
    const what =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1";
    const name = ["-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", ROWCAST_TLS_KEY, "-out", ROWCAST_TLS_CERT];
    execFileSync("openssl", [...what.split(" "), ...name, ...files], { stdio: "pipe" });
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}
