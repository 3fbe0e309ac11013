// The package as an app gets it: packed by npm, and installed into a folder that holds nothing else.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./commands.js";
import { WEB } from "./entries.js";

/** Packs what has been built. Returns the path of the tarball. */
export async function pack(into: string): Promise<string> {
  const printed = await run("npm", ["pack", "--json", "--pack-destination", into], { cwd: WEB });
  const [packed] = JSON.parse(printed);
  return join(into, packed.filename);
}

/** An app with the package installed. */
export class App {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Offline: the package needs nothing but itself. */
  static async create(): Promise<App> {
    const directory = await mkdtemp(join(tmpdir(), "rowcast-app-"));
    const app = new App(directory);
    await app.write("package.json", JSON.stringify({ name: "app", private: true, type: "module" }));
    const tarball = await pack(directory);
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: directory });
    return app;
  }

  async write(file: string, text: string): Promise<void> {
    const path = join(this.directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  /** Gives the app a package that this repository has installed for itself. */
  async link(name: string): Promise<void> {
    const path = join(this.directory, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    await symlink(join(WEB, "node_modules", name), path);
  }

  run(command: string, ...args: string[]): Promise<string> {
    return run(command, args, { cwd: this.directory });
  }

  /** Runs a module with Node, as it is. */
  async node(source: string): Promise<string> {
    await this.write("main.js", source);
    return this.run(process.execPath, "main.js");
  }

  /** Checks these files with our TypeScript, declarations of the package included. */
  async check(options: Readonly<Record<string, unknown>>, files: readonly string[]): Promise<string> {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      target: "ES2023",
      jsx: "react-jsx",
      ...options,
    };
    await this.write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
    return this.run(process.execPath, join(WEB, "node_modules/typescript/bin/tsc"), "-p", ".");
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}
