import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalDecimal, requiredText } from "./fields.ts";

const CURRENCY = /^[A-Z]{3}$/;
/** Digits of a converted amount after the point: finer than any currency's smallest coin. */
const AMOUNT_DECIMALS = 4;

/** `get_exchange_rate`: the rate between two currencies, and an amount converted by it. */
export const tool = defineTool({
  name: "get_exchange_rate",
  title: "Get an exchange rate",
  description:
    'Rate between two currencies, for orientation; with amount also what it comes to. Example: {"from":"EUR","to":"USD","amount":"100"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    from: requiredText("Currency code", 10),
    to: requiredText("Currency code", 10),
    amount: optionalDecimal("In from"),
  }),
  outputSchema: outputSchema({ from: "text", to: "text", rate: "text", inverse: "text", amount: "text", converted: "text" }),
  async run(args, context) {
    const from = currencyOf(args.from);
    const to = currencyOf(args.to);
    const found = await context.broker.exchangeRate(from, to, context.call);
    const converted = args.amount?.times(found.rate).round(AMOUNT_DECIMALS);
    const sum =
      args.amount === undefined || converted === undefined ? "" : `; ${args.amount.toString()} ${from} = ${converted.toString()} ${to}`;
    return completeAnswer(context, {
      text: `1 ${from} = ${found.rate.toString()} ${to}${sum}.`,
      asOf: found.asOf,
      body: { from, to, rate: found.rate, inverse: found.inverse, amount: args.amount, converted },
    });
  },
});

function currencyOf(text: string): string {
  const code = text.toUpperCase();
  if (CURRENCY.test(code)) return code;
  throw new GatewayError("invalid_arguments", `${text} is no currency code.`, {
    whatToDo: "Send from and to as codes of three letters, such as EUR and USD.",
  });
}
