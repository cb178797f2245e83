import { z } from "zod";

import type { SecurityMatch } from "../broker/instrument.ts";
import { defineTool } from "../mcp/define-tool.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { secTypeField } from "./contract-argument.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalInteger, optionalText, requiredText } from "./fields.ts";
import { exchangeOf } from "./listing.ts";

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 50;

/** `search_security`: IBKR's security master by ticker or company name. */
export const tool = defineTool({
  name: "search_security",
  title: "Search securities",
  description:
    'Finds contracts by ticker or company name, best first; other tools take the conid. Example: {"query":"apple","currency":"USD"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    query: requiredText("Ticker or company name", 100),
    sec_type: secTypeField,
    currency: optionalText(undefined, 3),
    exchange: optionalText(undefined, 20),
    limit: optionalInteger({ min: 1, max: MAX_LIMIT }, `Default ${DEFAULT_LIMIT}`),
  }),
  outputSchema: outputSchema({ securities: "rows", note: "text" }),
  async run(args, context) {
    const { sec_type: secType, exchange, currency } = args;
    const matches = (await context.broker.search(args.query, context.call)).filter(
      (match) =>
        (secType === undefined || match.secTypes.includes(secType)) &&
        (exchange === undefined || exchangeOf(match) === exchangeOf({ exchange })),
    );
    const rows = await rowsOf(context, matches.slice(0, MAX_LIMIT));
    const found = rows.filter((row) => currency === undefined || row.currency === currency.toUpperCase());
    const shown = found.slice(0, args.limit ?? DEFAULT_LIMIT);
    const names = shown.slice(0, 5).map((row) => `${row.symbol}${row.exchange === undefined ? "" : ` (${row.exchange})`} = ${row.conid}`);
    return completeAnswer(context, {
      text: shown.length === 0 ? `Nothing found for ${args.query}.` : `${found.length} found for ${args.query}: ${names.join(", ")}.`,
      notes: [
        found.length > shown.length ? `Showing ${shown.length} of ${found.length}; narrow the search or raise limit.` : undefined,
        matches.length > MAX_LIMIT ? `Only the first ${MAX_LIMIT} of ${matches.length} hits were looked at.` : undefined,
      ],
      body: { securities: shown },
    });
  },
});

async function rowsOf(context: ToolContext, matches: readonly SecurityMatch[]) {
  const conids = [...new Set(matches.map((match) => match.conid))];
  const instruments = conids.length === 0 ? [] : await context.broker.instruments(conids, context.call);
  const byConid = new Map(instruments.map((instrument) => [instrument.conid, instrument]));
  return matches.map((match) => {
    const known = byConid.get(match.conid);
    const [ownType, ...derivatives] = match.secTypes;
    return {
      conid: match.conid,
      symbol: match.symbol,
      name: match.name ?? known?.name,
      sec_type: known?.secType ?? ownType,
      exchange: match.exchange ?? known?.exchange,
      currency: known?.currency,
      derivatives: derivatives.length === 0 ? undefined : derivatives,
    };
  });
}
