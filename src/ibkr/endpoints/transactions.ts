import { z } from "zod";

import type { Instrument } from "../../broker/instrument.ts";
import type { Transaction, Transactions } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import type { ApiRequest } from "../transport.ts";
import { isoDate } from "./codes.ts";
import { decimal, integer, listOf, text } from "./reply.ts";

/** `POST /pa/transactions`: one contract's transactions in several accounts, once in 15 minutes. */
export function transactionsRequest(accountIds: readonly string[], about: { conid: number; currency: string; days: number }): ApiRequest {
  const { conid, currency, days } = about;
  return {
    method: "POST",
    path: "/pa/transactions",
    endpoint: "/pa/transactions",
    body: { acctIds: accountIds, conids: [conid], currency, days },
  };
}

/** Transactions, newest first, and what was realised by them. */
export const transactionsReply = z.looseObject({
  rpnl: z
    .looseObject({
      data: listOf(z.looseObject({ date: text, cur: text, fxRate: decimal, side: text, acctid: text, amt: decimal, conid: integer })),
    })
    .catch({ data: [] }),
  transactions: listOf(
    z.looseObject({
      rawDate: text,
      cur: text,
      pr: decimal,
      qty: decimal,
      acctid: text,
      amt: decimal,
      conid: integer,
      type: text,
      desc: text,
    }),
  ),
});

type Reply = z.output<typeof transactionsReply>;

/** Whose transactions of which contract since which date (`YYYY-MM-DD`). */
export interface TransactionsScope {
  readonly accountId: string;
  readonly instrument: Instrument;
  /** By what the contract's quoted prices exceed its currency. */
  readonly magnifier: Decimal | undefined;
  readonly since: string;
}

/** Picks one account's transactions out of an answer and reads them into our terms. */
export function toTransactions(reply: Reply, scope: TransactionsScope): Pick<Transactions, "rows" | "realizedPnl"> {
  const { accountId, instrument, since } = scope;
  const isWanted = (row: { acctid?: string | undefined; conid?: number | undefined }, date: string | undefined) =>
    row.acctid === accountId && (row.conid ?? instrument.conid) === instrument.conid && date !== undefined && date >= since;
  const rows = reply.transactions.flatMap((row): Transaction[] => {
    const date = isoDate(row.rawDate);
    if (date === undefined || !isWanted(row, date)) return [];
    return [
      {
        date,
        type: row.type ?? "Other",
        description: row.desc,
        quantity: row.qty,
        price: priceOf(row, scope),
        amount: row.amt,
        currency: row.cur ?? instrument.currency,
      },
    ];
  });
  const realized = reply.rpnl.data.flatMap((row) => {
    if (row.amt === undefined || !isWanted(row, isoDate(row.date))) return [];
    // The side says gain or loss, whatever sign the amount comes with.
    const signed = row.side?.startsWith("L") === true ? row.amt.abs().negated() : row.amt;
    return [row.cur === instrument.currency ? signed : signed.times(row.fxRate ?? Decimal.one)];
  });
  return { rows: rows.toSorted((a, b) => b.date.localeCompare(a.date)), realizedPnl: Decimal.sum(realized) };
}

/** Prices come in pence or in pounds, by build: the amount, which is always in the currency, tells which. */
function priceOf(
  row: { pr?: Decimal | undefined; qty?: Decimal | undefined; amt?: Decimal | undefined },
  { magnifier, instrument }: TransactionsScope,
): Decimal | undefined {
  if (row.pr === undefined || magnifier === undefined) return row.pr;
  const inCurrency = row.pr.dividedBy(magnifier);
  if (row.qty === undefined || row.amt === undefined) return inCurrency;
  const worth = row.pr
    .times(row.qty)
    .times(instrument.multiplier ?? Decimal.one)
    .abs();
  const isMagnified = worth.greaterThan(row.amt.abs().times(Decimal.fromInteger(10)));
  return isMagnified ? inCurrency : row.pr;
}
