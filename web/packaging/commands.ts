// Runs a command to its end.

import { execFile } from "node:child_process";

/** What it printed on standard output. Fails with all that it printed. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const env = { ...process.env, ...options.env };
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: options.cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${command} ${args.join(" ")} failed\n${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
