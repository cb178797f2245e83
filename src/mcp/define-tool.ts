import type { z } from "zod";

import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Caller, Scope } from "../connections/caller.ts";
import type { ConnectionHealth } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Trading } from "../trading/trading.ts";

/** The four hints of the MCP specification; all are always stated. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** How the client answered an earlier `input_required` of this very call (2026-07-28), `requestState` byte for byte. */
export interface InputResponse {
  readonly requestState: string | undefined;
  readonly inputResponses: JsonObject;
}

/** What every tool may use, whether or not the caller's connection works. */
export interface OfflineContext {
  readonly caller: Caller;
  readonly call: CallOptions;
  readonly clock: Clock;
  /** What is known of the caller's connection without asking its broker; undefined when it was deleted meanwhile. */
  connectionHealth(): Promise<ConnectionHealth | undefined>;
  /** The absolute address of a page of this gateway. */
  pageUrl(path: string): string;
}

/** What a tool may use that works on an open connection: the broker behind it, and the order pipeline. */
export interface ToolContext extends OfflineContext {
  readonly broker: Broker;
  readonly trading: Trading;
  /** Makes `accountId` this caller's current account. */
  pinAccount(accountId: string): Promise<void>;
  /** True when the client can be asked by a form (it declared form elicitation in this request). */
  readonly canElicitForm: boolean;
  readonly inputResponse: InputResponse | undefined;
}

/** A finished answer: the object that programs read and one short text for people. */
export interface CompleteAnswer {
  readonly kind: "complete";
  readonly structured: JsonObject;
  readonly text: string;
}

/** A question for the person behind the client, as MCP's `input_required` result. */
export interface InputRequiredAnswer {
  readonly kind: "input_required";
  readonly inputRequests: JsonObject;
  readonly requestState: string;
}

export type ToolAnswer = CompleteAnswer | InputRequiredAnswer;

/** What a tool says of itself. `input` is strict about unknown keys and lenient about types. */
interface ToolFacts<Input extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** At most two sentences and one example. */
  readonly description: string;
  /** The scope that lists and calls it. */
  readonly scope: Scope;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  /** JSON Schema of `structured`: the envelope; row objects stay open. */
  readonly outputSchema: JsonObject;
}

/** A tool that works on the caller's connection, which is opened before it runs. `run` throws `GatewayError`. */
export interface BrokerTool<Input extends z.ZodObject = z.ZodObject> extends ToolFacts<Input> {
  readonly needsBroker?: true;
  run(args: z.output<Input>, context: ToolContext): Promise<ToolAnswer>;
}

/** A tool that answers without opening the caller's connection, which may be down. `run` throws `GatewayError`. */
export interface OfflineTool<Input extends z.ZodObject = z.ZodObject> extends ToolFacts<Input> {
  readonly needsBroker: false;
  run(args: z.output<Input>, context: OfflineContext): Promise<ToolAnswer>;
}

/** One MCP tool. */
export type Tool<Input extends z.ZodObject = z.ZodObject> = BrokerTool<Input> | OfflineTool<Input>;

/** Declares a tool with its argument types inferred from `input`; the result fits any list of tools. */
export function defineTool<Input extends z.ZodObject>(tool: BrokerTool<Input>): Tool {
  // A tool is only ever run with what its own `input` has parsed (call-tool.ts), so widening its parameter is sound.
  return tool;
}

/** Declares a tool that needs no open connection. */
export function defineOfflineTool<Input extends z.ZodObject>(tool: OfflineTool<Input>): Tool {
  // As above.
  return tool;
}
