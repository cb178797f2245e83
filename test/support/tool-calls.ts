/** What tests of single tools share: calls by name in a stack, and the error that a call ends with. */
import { GatewayError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { loadTools } from "../../src/mcp/load-tools.ts";
import type { CallOptions, TradingStack } from "./trading-stack.ts";

/** Years of prices take the simulator longer than a twentieth of IBKR's time on a busy machine. */
export const TOOLS_SPEED = 4;

const tools = loadTools();

/** Calls a tool by its name, to its complete answer. */
export function callIn(stack: TradingStack, name: string, args: JsonObject = {}, options?: CallOptions): Promise<JsonObject> {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return stack.complete(tool, args, options);
}

/** The error that `work` ends with. */
export async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw new Error(`no GatewayError but ${String(error)}`);
  return error;
}
