/** Measures `place_order` on SQLite and PostgreSQL; with another checkout's path, both versions in turn. Run by `script/bench-orders`. */
import { resolve } from "node:path";

import { systemClock } from "../src/lib/clock.ts";
import { temporaryFolder } from "../test/support/built-gateway.ts";
import { callTool } from "../test/support/mcp-call.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { startCheckout } from "./checkout-gateway.ts";

const ORDERS = 100;
const WARM_UP = 10;
/** IBKR takes ten requests a second of a user: orders come slower than that, so that none waits for its turn. */
const PACE_MS = 150;

const here = resolve(import.meta.dirname, "..");
const [other] = process.argv.slice(2);
const checkouts =
  other === undefined
    ? [["this checkout", here] as const]
    : ([
        ["before", resolve(other)],
        ["after", here],
      ] as const);

interface Candidate {
  readonly name: string;
  readonly gateway: Awaited<ReturnType<typeof startCheckout>>;
  readonly times: number[];
}

const postgres = await startPostgres();
const candidates: Candidate[] = [];
try {
  for (const [version, root] of checkouts)
    for (const database of ["SQLite", "PostgreSQL"] as const) {
      const place = database === "SQLite" ? {} : { DATABASE_URL: await postgres.createDatabase() };
      candidates.push({
        name: `${database}, ${version}`,
        gateway: await startCheckout(root, { DATA_DIR: temporaryFolder(), ...place }),
        times: [],
      });
    }
  for (let round = 0; round < WARM_UP + ORDERS; round += 1)
    for (const { gateway, times } of candidates) {
      const spent = await placeOne(gateway, round);
      if (round >= WARM_UP) times.push(spent);
      await systemClock.wait(PACE_MS / candidates.length);
    }
  console.log(`place_order, ${ORDERS} orders each in turn, ms:`);
  for (const { name, times } of candidates)
    console.log(`  ${name}: p50 ${quantile(times, 0.5)}, p90 ${quantile(times, 0.9)}, p99 ${quantile(times, 0.99)}`);
} finally {
  await Promise.all(candidates.map(({ gateway }) => gateway.stop()));
  await postgres.stop();
}

async function placeOne(gateway: { readonly url: string; readonly key: string }, round: number): Promise<number> {
  const order = { account_id: "DU7100001", symbol: "KO", side: round % 2 === 0 ? "BUY" : "SELL", quantity: 1, order_type: "MKT" };
  const startedAt = systemClock.monotonic();
  const answer = await callTool(gateway, "place_order", { ...order, client_order_id: `bench ${round}` });
  const spent = systemClock.monotonic() - startedAt;
  if (answer.isError) throw new Error(`an order failed: ${answer.text}`);
  return spent;
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2);
}
