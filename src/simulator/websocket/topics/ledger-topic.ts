import { isRecord } from "../../../lib/json.ts";
import { ledgerOf } from "../../trading/ledger.ts";
import type { Topic } from "../topic.ts";
import { createAccountTopic } from "./account-topic.ts";

/** Names that the socket spells otherwise than the ledger endpoint does; `cashbalance` isn't among them. */
const SPELLED: Readonly<Record<string, string>> = {
  acctcode: "acctCode",
  exchangerate: "exchangeRate",
  netliquidationvalue: "netLiquidationValue",
  secondkey: "secondKey",
  settledcash: "settledCash",
  unrealizedpnl: "unrealizedPnl",
  realizedpnl: "realizedPnl",
  stockmarketvalue: "stockMarketValue",
  stockoptionmarketvalue: "stockOptionMarketValue",
};

/** `sld+<account>+{…}`: the ledger of each currency, every ten seconds. */
export const ledgerTopic: Topic = createAccountTopic({
  name: "sld",
  ends: "uld",
  subject: "ledger",
  repeats: true,
  always: ["key", "acctCode", "secondKey", "timestamp"],
  rows: (valuation) =>
    Object.entries(ledgerOf(valuation)).flatMap(([currency, entry]) => {
      if (!isRecord(entry)) return [];
      const fields = Object.entries(entry).map(([name, value]) => [SPELLED[name] ?? name, value] as const);
      return [{ ...Object.fromEntries(fields), key: `LedgerList${currency}` }];
    }),
});
