import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { seededRandom } from "../../../src/lib/random.ts";
import { sha256Hex } from "../../../src/lib/secret.ts";
import { generateCredentials, type SimulatorCredentials } from "../../../src/simulator/session/consumer.ts";
import { insertApiKey } from "../../../src/storage/api-keys.ts";
import { insertConnection } from "../../../src/storage/connections.ts";
import { setDuplicateRefusals } from "../../../src/storage/order-permission.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import { createSealer, type Sealer } from "../../../src/storage/sealing.ts";
import { insertUser } from "../../../src/storage/users.ts";
import { silentLog } from "../../support/silent-log.ts";
import { callerName } from "./promises.ts";

/** Whose connection and keys all seeds work with. */
export const OWNER = { connectionId: "con_1", userId: "usr_1" } as const;
/** When connection and keys were made: a day before any run. */
const MADE_AT = Date.UTC(2026, 10, 15, 17, 0, 0);

/** The secrets of the two keys. */
export const KEYS: readonly string[] = ["a", "b"].map((letter) => `ibkr_${letter.repeat(43)}`);

/** What every run begins from: a migrated database with a connection and two keys, and the credentials of the simulator. */
export interface Template {
  readonly credentials: SimulatorCredentials;
  readonly sealer: Sealer;
  /** Copies the database to a file of its own. `refusalsProven`: the connection is known to refuse a `cOID` twice. */
  copy(options: { readonly refusalsProven: boolean }): string;
  remove(): void;
}

/** Makes it once for all seeds: its keys take a second to compute. */
export async function makeTemplate(): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-orders-"));
  const original = join(folder, "template.sqlite");
  const credentials = await generateCredentials(seededRandom("orders"));
  const sealer = createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" });
  const storage = await openStorage({ file: original, log: silentLog });
  const { connectionId, userId } = OWNER;
  await insertUser(storage, { id: userId, display_name: "Ada", is_demo: 0, created_at: MADE_AT });
  const { consumerKey, ...secrets } = credentials;
  await insertConnection(storage, {
    id: connectionId,
    user_id: userId,
    kind: "ibkr-oauth",
    label: "Ada",
    mode: "paper",
    settings: JSON.stringify({ consumerKey, region: "automatic" }),
    sealed_secrets: sealer.seal(JSON.stringify(secrets), { table: "connections", column: "sealed_secrets", rowId: connectionId, userId }),
    created_at: MADE_AT,
  });
  for (const [index, key] of KEYS.entries())
    await insertApiKey(storage, {
      id: callerName(index),
      user_id: userId,
      connection_id: connectionId,
      key_hash: sha256Hex(key),
      prefix: key.slice(0, 10),
      label: `Key ${index + 1}`,
      scope: "write",
      allowed_account_ids: null,
      limits: null,
      pinned_account_id: null,
      expires_at: null,
      created_at: MADE_AT,
      last_used_at: null,
      last_used_address: null,
      last_used_client: null,
      revoked_at: null,
      toolsets: null,
    });
  await storage.close();
  const proven = join(folder, "proven.sqlite");
  copyFileSync(original, proven);
  const provenStorage = await openStorage({ file: proven, log: silentLog });
  await setDuplicateRefusals(provenStorage, OWNER, MADE_AT);
  await provenStorage.close();
  let count = 0;
  return {
    credentials,
    sealer,
    copy: ({ refusalsProven }) => {
      count += 1;
      const file = join(folder, `${count}.sqlite`);
      copyFileSync(refusalsProven ? proven : original, file);
      return file;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
