import { z } from "zod";

import type { Instrument, OptionRight } from "../broker/instrument.ts";
import type { OptionExpiry, OptionQuote } from "../broker/research.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineTool, type ToolContext } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, resolveContract } from "./contract-argument.ts";
import { cell, completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { optionalChoice, optionalDecimal, optionalInteger, optionalText } from "./fields.ts";
import { allStrikes, type ExpiryWords, parseExpiry, strikesRound } from "./option-window.ts";
import { leastFresh } from "./quote-row.ts";

/** Strikes on each side of the money. Twelve make 48 contracts, about what is quoted at once; each strike is looked up by itself. */
const STRIKES = { usual: 5, max: 12 };
const DAY_MS = 86_400_000;
const HUNDRED = Decimal.fromInteger(100);
const PERCENT_DECIMALS = 4;
const COLUMNS = [
  "strike",
  "right",
  "conid",
  "bid",
  "ask",
  "last",
  "implied_volatility_pct",
  "delta",
  "gamma",
  "theta",
  "vega",
  "open_interest",
];

/** `get_option_chain`: the months in which options expire, or the strikes round the money of one expiry with quotes and Greeks. */
export const tool = defineTool({
  name: "get_option_chain",
  title: "Get an option chain",
  description:
    'Without expiry the months that have options; with one the strikes round the money: bid, ask, implied volatility and Greeks of calls and puts. Example: {"symbol":"AAPL","expiry":"2027-01"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    ...contractFields,
    expiry: optionalText('Month or day: "2027-01", "2027-01-15"', 20),
    strikes: optionalInteger({ min: 1, max: STRIKES.max }, `On each side; default ${STRIKES.usual}, at most ${STRIKES.max}`),
    around: optionalDecimal("Price in the middle; default the underlying's"),
    right: optionalChoice<OptionRight>({ values: ["C", "P"], synonyms: { CALL: "C", CALLS: "C", PUT: "P", PUTS: "P" } }),
  }),
  outputSchema: outputSchema({
    conid: "integer",
    symbol: "text",
    currency: "text",
    months: "texts",
    expiry: "text",
    expiries: "texts",
    underlying_price: "text",
    data_status: "text",
    columns: "texts",
    rows: "table",
    note: "text",
  }),
  async run(args, context) {
    const expiry = args.expiry === undefined ? undefined : parseExpiry(args.expiry);
    if (args.expiry !== undefined && expiry === undefined) {
      throw new GatewayError("invalid_arguments", `${args.expiry} is no expiry.`, {
        whatToDo: 'Send expiry as a month or a day, such as "2027-01" or "2027-01-15".',
      });
    }
    const underlying = await resolveContract(context, args, "read");
    const months = await context.broker.optionMonths(underlying.conid, context.call);
    if (months.length === 0) {
      throw new GatewayError("not_supported", `IBKR lists no options on ${describe(underlying)}.`, {
        whatToDo: "Name the underlying: a stock, an ETF or an index that has options; search_security shows derivatives.",
      });
    }
    if (expiry !== undefined) return chainOf(context, { ...args, underlying, months, expiry });
    return completeAnswer(context, {
      text: `Options on ${describe(underlying)} expire in ${months.length} months: ${months.join(", ")}.`,
      notes: ["Send one of months as expiry to see its strikes."],
      body: { ...contractRow(underlying), months },
    });
  },
});

interface ChainRequest {
  readonly underlying: Instrument;
  readonly months: readonly string[];
  readonly expiry: ExpiryWords;
  readonly strikes?: number | undefined;
  readonly around?: Decimal | undefined;
  readonly right?: OptionRight | undefined;
}

async function chainOf(context: ToolContext, request: ChainRequest) {
  const { underlying, months, expiry, right } = request;
  if (!months.includes(expiry.month)) throw noExpiry(underlying, expiry.month, months);
  const [price, listed] = await Promise.all([
    underlyingPrice(context, underlying),
    context.broker.optionStrikes(underlying.conid, expiry.month, context.call),
  ]);
  const all = allStrikes(right === "P" ? [] : listed.calls, right === "C" ? [] : listed.puts);
  const middle = request.around ?? price ?? all[Math.floor(all.length / 2)];
  const strikes = middle === undefined ? [] : strikesRound(all, middle, request.strikes ?? STRIKES.usual);
  const rights = right === undefined ? (["C", "P"] as const) : [right];
  const wanted = { underlyingConid: underlying.conid, month: expiry.month, strikes, rights };
  const expiries = strikes.length === 0 ? [] : await context.broker.optionContracts(wanted, context.call);
  const days = expiries.map((each) => each.expiry);
  const chosen = chooseExpiry(expiries, expiry, context.clock.now());
  if (chosen === undefined) throw noExpiry(underlying, expiry.day ?? expiry.month, expiry.day === undefined ? months : days);
  const conids = chosen.contracts.map(({ conid }) => conid);
  const quotes = await context.broker.optionQuotes(conids, context.call);
  const unpriced = price === undefined && request.around === undefined;
  return completeAnswer(context, {
    text: chainText(underlying, { chosen, strikes: strikes.length, price }),
    asOf: quotes.length === 0 ? undefined : Math.min(...quotes.map(({ quote }) => quote.asOf)),
    notes: [
      days.length > 1 && expiry.day === undefined
        ? `This is the first of ${days.length} expiries in ${expiry.month}; send another as expiry.`
        : undefined,
      unpriced ? "The underlying has no price now, so these strikes are those in the middle of the list." : undefined,
      quotes.some(isIncomplete) ? "Some Greeks did not come in time; the same call a few seconds later may have them." : undefined,
      quotes.some(({ quote }) => !quote.subscribed) ? "This IBKR user has no market data subscription for these options." : undefined,
      all.length > strikes.length ? `${strikes.length} of ${all.length} strikes; strikes and around show others.` : undefined,
    ],
    body: {
      ...contractRow(underlying),
      expiry: chosen.expiry,
      expiries: days,
      underlying_price: price,
      multiplier: chosen.contracts[0]?.multiplier,
      currency: chosen.contracts[0]?.currency ?? underlying.currency,
      data_status: leastFresh(quotes.map(({ quote }) => quote.dataStatus)),
      columns: COLUMNS,
      rows: chosen.contracts.map((contract) =>
        chainRow(
          contract,
          quotes.find(({ instrument }) => instrument.conid === contract.conid),
        ),
      ),
    },
  });
}

async function underlyingPrice(context: ToolContext, { conid }: Instrument): Promise<Decimal | undefined> {
  const [quote] = await context.broker.quotes([conid], context.call);
  return quote?.last ?? quote?.priorClose;
}

/** The day that was asked for, else the first of the month that isn't over everywhere. */
function chooseExpiry(expiries: readonly OptionExpiry[], { day }: ExpiryWords, now: number): OptionExpiry | undefined {
  const yesterday = isoTime(now - DAY_MS).slice(0, 10);
  return day === undefined
    ? (expiries.find(({ expiry }) => expiry >= yesterday) ?? expiries[0])
    : expiries.find(({ expiry }) => expiry === day);
}

function isIncomplete({ quote, impliedVolatility, delta }: OptionQuote): boolean {
  return quote.subscribed && (impliedVolatility === undefined || delta === undefined);
}

function noExpiry(underlying: Instrument, expiry: string, candidates: readonly string[]): GatewayError {
  return new GatewayError("contract_not_found", `No options on ${describe(underlying)} expire in ${expiry}.`, {
    whatToDo: "Send one of the candidates as expiry.",
    details: { candidates: [...candidates] },
  });
}

function chainRow({ strike, right, conid }: Instrument, found: OptionQuote | undefined) {
  const volatility = found?.impliedVolatility?.times(HUNDRED).round(PERCENT_DECIMALS);
  return [
    cell(strike),
    cell(right),
    conid,
    cell(found?.quote.bid),
    cell(found?.quote.ask),
    cell(found?.quote.last),
    cell(volatility),
    cell(found?.delta),
    cell(found?.gamma),
    cell(found?.theta),
    cell(found?.vega),
    cell(found?.openInterest),
  ];
}

interface Shown {
  readonly chosen: OptionExpiry;
  readonly strikes: number;
  readonly price: Decimal | undefined;
}

function chainText(underlying: Instrument, { chosen, strikes, price }: Shown): string {
  const at = price === undefined ? "" : ` at ${price.toString()} ${underlying.currency}`;
  return `${describe(underlying)}${at}: ${chosen.contracts.length} options that expire on ${chosen.expiry}, ${strikes} strikes.`;
}
