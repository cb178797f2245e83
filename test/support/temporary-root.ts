import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The variable by which workers learn of the folder that holds all temporary ones of this run. */
export const TEMPORARY_ROOT = "IBKR_GATEWAY_TEST_FOLDER";

/** Makes one folder for a whole run of the tests and removes it at the end: workers are ended too abruptly to do it. */
export function setup(): () => void {
  const root = mkdtempSync(join(tmpdir(), "ibkr-gateway-tests-"));
  process.env[TEMPORARY_ROOT] = root;
  return () => rmSync(root, { recursive: true, force: true });
}
