import { seededRandom } from "../../src/lib/random.ts";
import { AccountTurns } from "../../src/trading/account-turns.ts";
import { DoctorDesk } from "../../src/trading/doctor-desk.ts";
import { type DoctorRun, DoctorTurn } from "../../src/trading/doctor-turn.ts";
import type { OrderDraft } from "../../src/trading/order-draft.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { fakeClock } from "./fake-clock.ts";
import type { OrderRows } from "./order-rows.ts";
import { doctorBroker } from "./doctor-broker.ts";
import { silentLog } from "./silent-log.ts";
import { singleProcess } from "./single-process.ts";

/** What the doctor's test orders are. */
export const DOCTOR_DRAFT: OrderDraft = {
  accountId: "DU1",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: Decimal.one,
  orderType: "LMT",
  limitPrice: Decimal.fromInteger(151),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};

/** A turn on a connection's rows, whose clock stands. */
export function doctorTurn(rows: OrderRows, over: Partial<DoctorRun> = {}, clock = fakeClock()) {
  const processes = singleProcess();
  const run: DoctorRun = { ...rows.owner, run: "gwdoc-1", draft: DOCTOR_DRAFT, provenMode: "paper", ...over };
  return { clock, turn: new DoctorTurn({ storage: rows.storage, processes, clock, random: seededRandom(run.run) }, run) };
}

/** A desk that holds the account's turn, at a broker that does as a test says. */
export async function doctorDesk(rows: OrderRows) {
  const { clock, turn } = doctorTurn(rows);
  const ibkr = doctorBroker(clock);
  await turn.take(undefined);
  const { accountId } = DOCTOR_DRAFT;
  const desk = new DoctorDesk({ broker: ibkr.broker, clock, turn, turns: new AccountTurns(clock, silentLog), accountId });
  return { clock, turn, ibkr, desk };
}
