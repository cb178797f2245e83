import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type OrderBench, startOrderBench } from "../support/order-bench.ts";
import { ENGINES } from "../support/storages.ts";
import { storeDoctorReport } from "../../src/storage/doctor-reports.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";
import type { DoctorFinding, DoctorReport } from "../../src/trading/doctor-findings.ts";

let bench: OrderBench;

const reply = (kind: "accepted" | "declined" | "registered") => ({ kind, said: "", questions: [] });
const seen = { customerOrderId: "gwdoc-1-1", orders: 1 };
const proven: readonly DoctorFinding[] = [
  { ...seen, case: "working", again: reply("registered") },
  { ...seen, case: "cancelled", again: reply("registered") },
];
const freed: DoctorFinding = { ...seen, case: "declined", first: reply("declined"), again: reply("accepted") };

async function store(findings: readonly DoctorFinding[], provenAt: number | null): Promise<void> {
  const report: DoctorReport = {
    run: "gwdoc-1",
    accountId: "DU1",
    symbol: "AAPL",
    at: 1,
    customerOrderId: "gwdoc-1-1",
    sentBrokerAt: null,
    findings: [...findings],
    left: [],
  };
  await storeDoctorReport(bench.stack.storage, bench.stack.caller, { report: JSON.stringify(report), provenAt });
}

/** Places an order about which IBKR asks, confirms it, and returns the generations of its `cOID`s. */
async function confirmedGenerations(clientOrderId: string): Promise<readonly number[]> {
  let answer = await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: clientOrderId });
  while (answer["status"] === "confirmation_required")
    answer = await bench.stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" });
  expect(answer).toHaveProperty("order_id");
  const rows = await bench.stack.storage.db
    .selectFrom("order_attempts")
    .innerJoin("order_requests", "order_requests.id", "order_attempts.request_id")
    .select(["order_attempts.generation", "order_attempts.state"])
    .where("order_requests.client_order_id", "=", clientOrderId)
    .orderBy("order_attempts.generation")
    .execute();
  expect(rows.at(-1)?.state).toBe("placed");
  return rows.map(({ generation }) => generation);
}

describe.each(ENGINES)("a confirmed order on %s", (engine) => {
  beforeAll(async () => {
    bench = await startOrderBench(engine);
  });
  afterAll(() => bench.stack.close());
  beforeEach(() => bench.begin());

  it("keeps its cOID where a declined question is proven to register nothing", async () => {
    await store([...proven, freed], 1);
    expect(await confirmedGenerations("keeps")).toEqual([1]);
  });

  it.each([
    ["the doctor saw no declined question", proven, 1],
    ["the declined question registered it", [...proven, { ...freed, again: reply("registered") }], 1],
    ["the mark was cleared since", [...proven, freed], null],
  ] as const)("takes another cOID where %s", async (name, findings, provenAt) => {
    await store(findings, provenAt);
    expect(await confirmedGenerations(name)).toEqual([1, 2]);
  });
});
