/** A process that puts calls on record until it is killed: `node audit-victim.ts file|databaseUrl PLACE USER-ID`. Prints each id once `begin` has resolved. */
import { systemClock } from "../../src/lib/clock.ts";
import { createAuditLog } from "../../src/storage/audit-writer.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { silentLog } from "./silent-log.ts";

const [, , kind, place, userId = ""] = process.argv;
const storage = await openStorage(kind === "file" ? { file: place, log: silentLog } : { databaseUrl: place, log: silentLog });
const audit = createAuditLog({ storage, clock: systemClock, log: silentLog });

for (let count = 1; ; count += 1) {
  const requestId = `req_${count}`;
  await audit.begin({
    requestId,
    at: systemClock.now(),
    userId,
    callerId: "key_victim",
    source: "apikey",
    scope: "write",
    connectionId: "con_victim",
    tool: "place_order",
    arguments: "{}",
    client: undefined,
    address: undefined,
  });
  process.stdout.write(`${requestId}\n`);
}
