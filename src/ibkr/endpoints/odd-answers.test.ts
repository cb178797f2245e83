import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Account, CashLedger } from "../../broker/account.ts";
import type { Instrument } from "../../broker/instrument.ts";
import { PERFORMANCE_PERIODS } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { GatewayError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json.ts";
import { zonedClock } from "../zoned-clock.ts";
import { futuresReply, toFutures } from "./futures.ts";
import { toOptionQuote } from "./options.ts";
import * as performance from "./performance.ts";
import { readReply } from "./reply.ts";
import * as scanners from "./scanners.ts";
import * as schedule from "./trading-schedule.ts";
import { toTransactions, transactionsReply } from "./transactions.ts";

const ACCOUNT = "DU1234567";
const account: Account = { accountId: ACCOUNT, title: undefined, type: undefined, baseCurrency: undefined };
const ledger: CashLedger = { accountId: ACCOUNT, baseCurrency: "USD", balances: [], total: undefined, asOf: 0 };
const option: Instrument = {
  conid: 1,
  symbol: "SPY",
  name: undefined,
  secType: "OPT",
  currency: "GBP",
  exchange: "SMART",
  multiplier: Decimal.zero,
  right: "C",
  strike: Decimal.one,
  expiry: undefined,
  underlyingConid: 2,
};

/** Everything that IBKR has been seen to write in a field, and what it hasn't. */
const value = fc.oneof(
  fc.constantFrom(
    "",
    "N/A",
    "20261123",
    "20261399",
    "0930",
    "2400",
    "9999",
    "L",
    "1.7976931348623157E308",
    "-0",
    "12.5%",
    "1.2K",
    "JAN27",
    ACCOUNT,
  ),
  fc.integer(),
  fc.constantFrom(0, -1, 265598, 1795444200, 9_007_199_254_740_991, null, true),
  fc.string({ maxLength: 6 }),
);
const NAMES = `upnl ${ACCOUNT}.Core dpl nl el ${ACCOUNT} 1Y 1D startNAV date val dates nav navs cps returns data id
  rpnl transactions rawDate pr qty amt acctid conid side cur fxRate ES expirationDate ltd underlyingConid
  location_tree locations type display_name scan_type_list code contracts con_id conidex symbol scan_data
  schedules 20261123 liquid_hours extended_hours opening closing sessions openingTime closingTime tradingScheduleDate
  31 84 7308 7633 7638 7638_raw 6509 _updated`.split(/\s+/);
const { body } = fc.letrec<{ body: unknown; object: unknown; list: unknown }>((tie) => ({
  body: fc.oneof({ depthSize: "medium", withCrossShrink: true }, value, tie("object"), tie("list")),
  object: fc.dictionary(fc.constantFrom(...NAMES), tie("body"), { maxKeys: 6 }),
  list: fc.array(tie("body"), { maxLength: 4 }),
}));

const newYork = zonedClock("America/New_York");

const READERS: readonly ((body: unknown) => unknown)[] = [
  (odd) => performance.toPnl(readReply(performance.pnlReply, odd, "x").upnl, { account, ledger }, 1),
  (odd) => {
    const reply = readReply(performance.allPeriodsReply, odd, "x");
    const series = performance.seriesOfPeriods(reply, ACCOUNT, "1Y");
    return series && PERFORMANCE_PERIODS.map((period) => performance.toPerformance(series, { account, period, asOf: 1 }));
  },
  (odd) => {
    const series = performance.seriesOfPerformance(readReply(performance.performanceReply, odd, "x"), ACCOUNT);
    return series && performance.toPerformance(series, { account, period: "3M", asOf: 1 });
  },
  (odd) => {
    const scope = { accountId: ACCOUNT, instrument: option, magnifier: Decimal.fromInteger(100), since: "2026-01-01" };
    return toTransactions(readReply(transactionsReply, odd, "x"), scope);
  },
  (odd) => toFutures(readReply(futuresReply, odd, "x")["ES"] ?? [], "ES"),
  (odd) => scanners.toScannerParameters(readReply(scanners.scannerParametersReply, odd, "x"), 1),
  (odd) => readReply(scanners.scannerRunReply, odd, "x").contracts.map(scanners.toScannerHit),
  (odd) => {
    const days = schedule.toDays(readReply(schedule.scheduleReply, odd, "x"));
    return days.flatMap(({ sessions }) =>
      sessions.map(({ opensAt, closesAt }) => [new Date(opensAt), new Date(closesAt)].map((at) => at.toISOString())),
    );
  },
  (odd) => {
    const venues = readReply(schedule.weeklyScheduleReply, [odd], "x");
    return venues.map((venue) => newYork && schedule.toDaysOfWeek(venue, newYork, { from: "2026-11-23", days: 10 }));
  },
  (odd) => toOptionQuote(isRecord(odd) ? odd : {}, { instrument: option, magnifier: undefined, now: 1 }),
];

describe("odd answers", () => {
  it("are read as far as they can be, or refused as unreadable; never anything else", () => {
    fc.assert(
      fc.property(body, (odd) => {
        for (const read of READERS) {
          try {
            read(odd);
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            expect(error.code).toBe("broker_error");
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
