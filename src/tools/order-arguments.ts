import type { OrderTypeName } from "../broker/instrument.ts";
import type { OrderSide, TimeInForce } from "../broker/order.ts";
import type { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import type { OrderDraft } from "../trading/order-draft.ts";
import { resolveAccount } from "./account-argument.ts";
import { type ContractArguments, contractFields, describe, namesContract, resolveContract } from "./contract-argument.ts";
import { optionalChoice, optionalDecimal, optionalFlag, optionalText } from "./fields.ts";
import { parseCurrencyPair, parseOptionWords } from "./option-words.ts";

/** The arguments that say what to order. */
export const orderFields = {
  ...contractFields,
  side: optionalChoice<OrderSide>({ values: ["BUY", "SELL"], synonyms: { B: "BUY", BOT: "BUY", S: "SELL", SLD: "SELL" } }),
  quantity: optionalDecimal("Shares, above zero"),
  order_type: optionalChoice<OrderTypeName>({
    values: ["MKT", "LMT", "STP", "STP_LIMIT"],
    synonyms: { MARKET: "MKT", LIMIT: "LMT", STOP: "STP", STOPLIMIT: "STP_LIMIT", STPLMT: "STP_LIMIT" },
  }),
  limit_price: optionalDecimal("For LMT, STP_LIMIT"),
  stop_price: optionalDecimal("For STP, STP_LIMIT"),
  tif: optionalChoice<TimeInForce>({ values: ["DAY", "GTC", "IOC"], description: "Default DAY" }),
  outside_rth: optionalFlag(),
  account_id: optionalText(undefined, 32),
};

/** What a caller said about an order. */
export interface OrderArguments extends ContractArguments {
  readonly side?: OrderSide | undefined;
  readonly quantity?: Decimal | undefined;
  readonly order_type?: OrderTypeName | undefined;
  readonly limit_price?: Decimal | undefined;
  readonly stop_price?: Decimal | undefined;
  readonly tif?: TimeInForce | undefined;
  readonly outside_rth?: boolean | undefined;
  readonly account_id?: string | undefined;
}

/** True when the arguments describe an order at all, beside a token. */
export function describesOrder(args: OrderArguments): boolean {
  const own = [args.side, args.quantity, args.order_type, args.limit_price, args.stop_price, args.tif, args.outside_rth];
  return namesContract(args) || own.some((value) => value !== undefined);
}

/**
 * Turns the arguments into the exact order: account and contract resolved, defaults filled in.
 * Throws `invalid_arguments` for what is missing, `not_supported` for anything but stocks and ETFs, and what resolving throws.
 */
export async function orderDraft(context: ToolContext, args: OrderArguments): Promise<OrderDraft> {
  const { side, quantity, order_type: orderType } = args;
  const missing = [
    ...(namesContract(args) ? [] : ["conid or symbol"]),
    ...(side === undefined ? ["side"] : []),
    ...(quantity === undefined ? ["quantity"] : []),
    ...(orderType === undefined ? ["order_type"] : []),
  ];
  if (side === undefined || quantity === undefined || orderType === undefined || missing.length > 0) {
    throw new GatewayError("invalid_arguments", `An order needs ${missing.join(", ")}.`, {
      whatToDo: 'Send them, such as {"symbol":"AAPL","side":"BUY","quantity":"5","order_type":"LMT","limit_price":"230"}.',
    });
  }
  refuseDerivativeWords(args);
  const { account } = await resolveAccount(context, args.account_id, "order");
  const instrument = await resolveContract(context, args, "order");
  if (instrument.secType !== "STK") throw notSupported(describe(instrument), instrument.secType);
  return {
    accountId: account.accountId,
    conid: instrument.conid,
    symbol: instrument.symbol,
    currency: instrument.currency,
    side,
    quantity,
    orderType,
    limitPrice: args.limit_price,
    stopPrice: args.stop_price,
    timeInForce: args.tif ?? "DAY",
    outsideRth: args.outside_rth ?? false,
  };
}

function refuseDerivativeWords({ symbol = "", sec_type: secType }: OrderArguments): void {
  if (parseOptionWords(symbol) !== undefined) throw notSupported(symbol, "OPT");
  if (parseCurrencyPair(symbol) !== undefined) throw notSupported(symbol, "CASH");
  if (secType !== undefined && secType !== "STK") throw notSupported(symbol, secType);
}

function notSupported(name: string, secType: string): GatewayError {
  return new GatewayError("not_supported", `${name} is of type ${secType}; orders are for stocks and ETFs for now.`, {
    whatToDo: "Nothing was sent. Place this order in IBKR's own apps.",
  });
}
