import { accessSync, constants, mkdirSync } from "node:fs";

import { messageOf } from "./errors.ts";

/** Makes the folder when it is missing, for its owner alone. Throws an `Error` of one line when it can't be written to. */
export function prepareDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Error(`can't write to ${folder}: set DATA_DIR to a folder that this user may write to (${messageOf(error)})`, {
      cause: error,
    });
  }
}
