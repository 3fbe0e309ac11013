// Parts of the client that few need, or only late: they are loaded then, so that everybody else has less to load.

import { RowcastError } from "./errors.js";

/** Where it fails, it has failed like any other request. */
export function load<Module>(module: Promise<Module>): Promise<Module> {
  return module.catch((cause) => {
    throw new RowcastError("network", "a part of the client could not be loaded", { cause });
  });
}
