import { expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { createMarket } from "../market/create-market.ts";
import { commissionOf } from "./commission.ts";
import { CONID } from "./test-world.ts";

const market = createMarket({ seed: "commission", alwaysOpen: true });

function commission(conid: number, quantity: string, amount: string): string {
  const instrument = market.instrument(conid);
  if (instrument === undefined) throw new Error(`no instrument ${conid}`);
  return commissionOf(instrument, Decimal.parse(quantity), Decimal.parse(amount)).toString();
}

test("American shares cost half a cent each, a dollar at least, one percent at most", () => {
  expect(commission(CONID.AAPL, "1000", "233000")).toBe("5");
  expect(commission(CONID.AAPL, "5", "1165")).toBe("1");
  expect(commission(CONID.AAPL, "0.1", "23.3")).toBe("0.233");
  expect(commission(CONID.AAPL, "10000", "2000")).toBe("20");
});

test("European shares cost a share of their value", () => {
  expect(commission(CONID.SAP, "10", "2146")).toBe("3");
  expect(commission(CONID.SAP, "100", "21460")).toBe("10.73");
  expect(commission(CONID.VOD, "10000", "8940")).toBe("4.47");
});

test("options cost 65 cents a contract, currencies a fifth of a basis point", () => {
  const expiry = market.expiries(CONID.SPY, Date.UTC(2026, 10, 23, 15))[0] ?? "";
  const option = market.option({ underlyingConid: CONID.SPY, expiry, right: "C", strike: 650 });
  expect(commission(option?.conid ?? 0, "10", "15000")).toBe("6.5");
  expect(commission(option?.conid ?? 0, "1", "1500")).toBe("1");
  expect(commission(CONID.EURUSD, "20000", "23000")).toBe("2");
  expect(commission(CONID.EURUSD, "1000000", "1150000")).toBe("23");
});
