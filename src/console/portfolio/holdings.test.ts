import { describe, expect, it } from "vitest";

import type { CashBalance, CashLedger, Position } from "../../broker/account.ts";
import { Decimal } from "../../lib/decimal.ts";
import { allocationOf, withTenths } from "./allocation.ts";
import { descriptionOf, holdingsOf } from "./holdings.ts";
import { nextOrder, orderText, readOrder, SORT_KEYS, sortHoldings } from "./position-order.ts";

const decimal = (text: string) => Decimal.parse(text);

function position(over: Partial<Position>): Position {
  return {
    conid: 1,
    symbol: "AAPL",
    description: undefined,
    secType: "STK",
    currency: "USD",
    quantity: Decimal.one,
    marketPrice: undefined,
    marketValue: undefined,
    averagePrice: undefined,
    unrealizedPnl: undefined,
    realizedPnl: undefined,
    multiplier: undefined,
    right: undefined,
    strike: undefined,
    expiry: undefined,
    ...over,
  };
}

function balance(currency: string, exchangeRate: string): CashBalance {
  const none = { cash: undefined, settledCash: undefined, netLiquidationValue: undefined, unrealizedPnl: undefined };
  return { currency, ...none, realizedPnl: undefined, interest: undefined, dividends: undefined, exchangeRate: decimal(exchangeRate) };
}

const ledger: CashLedger = {
  accountId: "DU1",
  baseCurrency: "USD",
  balances: [balance("USD", "1"), balance("EUR", "1.1")],
  total: undefined,
  asOf: 0,
};
const held = [
  position({ conid: 1, symbol: "AAPL", marketValue: decimal("600"), unrealizedPnl: decimal("100") }),
  position({ conid: 2, symbol: "SAP", currency: "EUR", marketValue: decimal("200"), unrealizedPnl: decimal("-20") }),
  position({ conid: 3, symbol: "ES", secType: "FUT", quantity: decimal("-2"), marketValue: decimal("-300"), unrealizedPnl: decimal("5") }),
  position({ conid: 4, symbol: "GONE", quantity: Decimal.zero, marketValue: Decimal.zero }),
  position({ conid: 5, symbol: "7203", currency: "JPY", marketValue: decimal("90000") }),
];
const holdings = holdingsOf(held, { ledger, netValue: decimal("1000") });

describe("holdings", () => {
  it("leave out what was closed, and tell class, base value, share and profit in percent", () => {
    expect(
      holdings.map(({ position: { symbol }, holdingClass, baseValue, share, pnlPercent }) => [
        symbol,
        holdingClass,
        baseValue?.toString(),
        share?.toString(),
        pnlPercent?.toString(),
      ]),
    ).toEqual([
      ["AAPL", "stocks", "600", "60", "20"],
      ["SAP", "stocks", "220", "22", "-9.0909"],
      ["ES", "futures", "-300", "-30", "1.6393"],
      ["7203", "stocks", undefined, undefined, undefined],
    ]);
  });

  it("know no base value without rates, and no percentage of nothing", () => {
    const [free] = holdingsOf([position({ marketValue: decimal("5"), unrealizedPnl: decimal("5") })], {
      ledger: undefined,
      netValue: Decimal.zero,
    });
    expect(free).toMatchObject({ baseValue: undefined, share: undefined, pnlPercent: undefined });
  });

  it("are described without the exchange's own code", () => {
    const named = (description: string) => descriptionOf(position({ symbol: "SPY", description }));
    expect(named("SPY JAN2027 665 C [SPY 270115C00665000 100]")).toBe("SPY JAN2027 665 C");
    expect([named("SPY"), named("[x]"), named("")]).toEqual([undefined, undefined, undefined]);
  });
});

describe("the order of positions", () => {
  const symbols = (sort: string) => sortHoldings(holdings, readOrder(sort)).map((holding) => holding.position.symbol);

  it("is by value in the base currency at first, the largest before the others; what isn't known stays last", () => {
    expect(symbols("-share")).toEqual(["AAPL", "SAP", "ES", "7203"]);
    expect(symbols("share")).toEqual(["ES", "SAP", "AAPL", "7203"]);
    expect(symbols("symbol")).toEqual(["7203", "AAPL", "ES", "SAP"]);
    expect(symbols("-pnl")).toEqual(["AAPL", "ES", "SAP", "7203"]);
  });

  it("compares amounts in the base currency, and as they are only where no rate is known at all", () => {
    expect(symbols("-value")).toEqual(["AAPL", "SAP", "ES", "7203"]);
    const without = holdingsOf(held, { ledger: undefined, netValue: undefined });
    expect(sortHoldings(without, readOrder("-value")).map((holding) => holding.position.symbol)).toEqual(["7203", "AAPL", "SAP", "ES"]);
  });

  it.each(SORT_KEYS.flatMap((key) => [key, `-${key}`]))("%s is a whole order, whatever is asked", (sort) => {
    expect(symbols(sort)).toHaveLength(holdings.length);
  });

  it("is read from an address and written to it, and turned round by choosing the same again", () => {
    expect(readOrder("constructor")).toEqual({ key: "value", isDescending: true });
    expect(orderText(readOrder(undefined))).toBeUndefined();
    expect(orderText(readOrder("pnl"))).toBe("pnl");
    expect(nextOrder(readOrder("-pnl"), "pnl")).toEqual({ key: "pnl", isDescending: false });
    expect(nextOrder(readOrder("-pnl"), "symbol")).toEqual({ key: "symbol", isDescending: false });
    expect(nextOrder(readOrder("symbol"), "share")).toEqual({ key: "share", isDescending: true });
  });
});

describe("the allocation", () => {
  it("divides by class and by holding, cash among them, and adds up to the whole", () => {
    const allocation = allocationOf(holdings, decimal("480"));
    expect(allocation?.byClass.map(({ key, tenths }) => [key, tenths])).toEqual([
      ["stocks", 513],
      ["futures", 187],
      ["cash", 300],
    ]);
    expect(allocation?.largest.map(({ key }) => key)).toEqual(["1", "3", "2", "cash"]);
    expect([allocation?.unknown, allocation?.hasShort]).toEqual([1, true]);
  });

  it("puts what is beyond the largest together, and leaves debts out", () => {
    const many = Array.from({ length: 9 }, (_, index) =>
      position({ conid: index + 1, symbol: `S${index}`, marketValue: decimal(String(index + 1)) }),
    );
    const allocation = allocationOf(holdingsOf(many, { ledger, netValue: undefined }), decimal("-50"));
    expect(allocation?.largest.map(({ key }) => key)).toEqual(["9", "8", "7", "6", "5", "others"]);
    expect(allocation?.byClass.map(({ key }) => key)).toEqual(["stocks"]);
    expect(allocationOf([], undefined)).toBeUndefined();
  });

  it.each([["1", "1", "1"], ["1", "1", "1", "1", "1", "1", "1"], ["999", "0.001"], ["33.33", "33.33", "33.34"], ["5"]])(
    "of %s … adds up to 100 %%",
    (...values) => {
      const tenths = withTenths(values.map((value) => ({ value: decimal(value) }))).map((part) => part.tenths);
      expect(tenths.reduce((sum, part) => sum + part, 0)).toBe(1000);
    },
  );
});
