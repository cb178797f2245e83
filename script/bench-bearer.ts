import { join } from "node:path";

import { pino } from "pino";

import { createBearerCheck } from "../src/auth/bearer.ts";
import { systemClock } from "../src/lib/clock.ts";
import { openStorage } from "../src/storage/open-storage.ts";
import { temporaryFolder } from "../test/support/built-gateway.ts";
import { seedKeys } from "../test/support/seed-keys.ts";
import { seedTokens } from "../test/support/seed-tokens.ts";

const LIVE = 100_000;
const CHECKS = 50_000;
const RESOURCE = "https://gateway.example/mcp";
/** Far from its neighbours in the index, and without a divisor in common with the number of secrets. */
const STRIDE = 7_919;

/** The mean time of a bearer check on SQLite among 100,000 live access tokens and as many API keys, in microseconds. */
export async function measureBearerCheck(): Promise<{ readonly token: number; readonly key: number }> {
  const log = pino({ level: "silent" });
  const storage = await openStorage({ file: join(temporaryFolder(), "bench.sqlite"), log });
  const { tokens } = await seedTokens(storage, { count: LIVE, resource: RESOURCE });
  const { keys } = await seedKeys(storage, LIVE);
  const bearer = createBearerCheck({ storage, clock: systemClock, log, resource: () => RESOURCE });
  const measure = async (secrets: readonly string[]): Promise<number> => {
    const headers = secrets.map((secret) => `Bearer ${secret}`);
    const round = async (): Promise<number> => {
      const started = performance.now();
      for (let index = 0; index < CHECKS; index += 1) {
        const result = await bearer.check(headers[(index * STRIDE) % headers.length], { address: "127.0.0.1", client: "bench" });
        if (result.kind !== "caller") throw new Error(`a live secret was refused: ${result.reason}`);
      }
      return ((performance.now() - started) * 1000) / CHECKS;
    };
    await round();
    return Math.min(await round(), await round());
  };
  const times = { token: await measure(tokens), key: await measure(keys) };
  await bearer.close();
  await storage.close();
  return times;
}
