import { z } from "zod";

import type { Instrument } from "../broker/instrument.ts";
import type { Quote } from "../broker/market-data.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, namesContract, resolveContract } from "./contract-argument.ts";
import { completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { optionalConids, optionalTexts } from "./fields.ts";
import { leastFresh, quoteNote, quoteRow, quoteText } from "./quote-row.ts";

/** Most contracts in one call. */
const MAX_CONTRACTS = 20;

/** `get_quote`: a price snapshot of one contract, or of several. */
export const tool = defineTool({
  name: "get_quote",
  title: "Get quotes",
  description: `Last, bid, ask, sizes, day and 52-week range, change and volume; up to ${MAX_CONTRACTS} contracts by conids or symbols. Example: {"symbol":"AAPL"}`,
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    ...contractFields,
    conids: optionalConids(MAX_CONTRACTS),
    symbols: optionalTexts(MAX_CONTRACTS),
  }),
  outputSchema: outputSchema({
    conid: "integer",
    symbol: "text",
    currency: "text",
    last: "text",
    data_status: "text",
    missing_fields: "texts",
    quotes: "rows",
    errors: "rows",
    note: "text",
  }),
  async run(args, context) {
    const several = args.conids !== undefined || args.symbols !== undefined;
    if (several === namesContract(args)) {
      throw new GatewayError("invalid_arguments", several ? "One contract and several were named." : "No contract was named.", {
        whatToDo: 'Send one contract, such as {"symbol":"AAPL"}, or several, such as {"symbols":["AAPL","MSFT"]}.',
      });
    }
    return several ? quoteSeveral(context, args.conids ?? [], args) : quoteOne(context, await resolveContract(context, args, "read"));
  },
});

async function quoteOne(context: ToolContext, instrument: Instrument) {
  const [quote] = await context.broker.quotes([instrument.conid], context.call);
  if (quote === undefined) throw noData(instrument);
  return completeAnswer(context, {
    text: quoteText(describe(instrument), quote),
    asOf: quote.asOf,
    notes: [quoteNote(quote)],
    body: { ...contractRow(instrument), ...quoteRow(quote) },
  });
}

function noData(instrument: Instrument): GatewayError {
  return new GatewayError("market_data_unavailable", `IBKR has no quote for ${describe(instrument)}.`, {
    whatToDo: "Try again later, or ask for another listing of it with search_security.",
  });
}

/** What several quotes may be narrowed by, beside the list itself. */
interface SeveralArguments {
  readonly symbols?: readonly string[] | undefined;
  readonly exchange?: string | undefined;
  readonly currency?: string | undefined;
  readonly sec_type?: Instrument["secType"] | undefined;
}

interface Named {
  readonly name: string;
  readonly instrument: Instrument | GatewayError;
}

async function quoteSeveral(context: ToolContext, conids: readonly number[], args: SeveralArguments) {
  const { symbols = [], exchange, currency, sec_type } = args;
  if (conids.length + symbols.length > MAX_CONTRACTS) {
    throw new GatewayError("invalid_arguments", `${conids.length + symbols.length} contracts were named.`, {
      whatToDo: `Send at most ${MAX_CONTRACTS} in one call.`,
    });
  }
  const named = await Promise.all([
    ...conids.map((conid) => nameOrError(String(conid), resolveContract(context, { conid }, "read"))),
    ...symbols.map((symbol) => nameOrError(symbol, resolveContract(context, { symbol, exchange, currency, sec_type }, "read"))),
  ]);
  const found = named.flatMap(({ instrument }) => (instrument instanceof GatewayError ? [] : [instrument]));
  const wanted = [...new Set(found.map((instrument) => instrument.conid))];
  const quotes = wanted.length === 0 ? [] : await context.broker.quotes(wanted, context.call);
  const byConid = new Map(quotes.map((quote) => [quote.conid, quote]));
  const answers = named.map(({ name, instrument }) => rowOf(name, instrument, byConid));
  const rows = answers.flatMap((answer) => (answer.row === undefined ? [] : [answer.row]));
  const errors = answers.flatMap((answer) => (answer.error === undefined ? [] : [answer.error]));
  return completeAnswer(context, {
    text: answers.map((answer) => answer.text).join("\n"),
    asOf: quotes.length === 0 ? undefined : Math.min(...quotes.map((quote) => quote.asOf)),
    body: {
      data_status: leastFresh(quotes.map((quote) => quote.dataStatus)),
      missing_fields: [...new Set(quotes.flatMap((quote) => quote.missingFields))],
      quotes: rows,
      errors: errors.length === 0 ? undefined : errors,
    },
  });
}

async function nameOrError(name: string, resolving: Promise<Instrument>): Promise<Named> {
  try {
    return { name, instrument: await resolving };
  } catch (error) {
    // One bad name must not hide the other quotes; a fault of the connection concerns them all.
    if (error instanceof GatewayError && NAME_ERRORS.has(error.code)) return { name, instrument: error };
    throw error;
  }
}

const NAME_ERRORS = new Set<GatewayError["code"]>(["ambiguous_contract", "contract_not_found", "invalid_arguments", "not_supported"]);

function rowOf(name: string, instrument: Instrument | GatewayError, quotes: ReadonlyMap<number, Quote>) {
  const failure = instrument instanceof GatewayError ? instrument : undefined;
  const quote = instrument instanceof GatewayError ? undefined : quotes.get(instrument.conid);
  if (instrument instanceof GatewayError || quote === undefined) {
    const { code, message, whatToDo } =
      failure ?? new GatewayError("market_data_unavailable", "No quote.", { whatToDo: "Try again later." });
    return { text: `${name}: ${message}`, error: { name, code, message, what_to_do: whatToDo } };
  }
  return {
    text: quoteText(describe(instrument), quote),
    row: { ...contractRow(instrument), ...quoteRow(quote), as_of: isoTime(quote.asOf) },
  };
}
