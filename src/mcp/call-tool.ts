import type { Caller } from "../connections/caller.ts";
import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import type { JsonLoss } from "../lib/json-loss.ts";
import type { Log } from "../lib/log.ts";
import type { AuditEnd, AuditLog, AuditStart } from "../storage/audit-log.ts";
import type { Trading } from "../trading/trading.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { InputResponse, OfflineContext, ToolAnswer, ToolContext } from "./define-tool.ts";
import type { ErrorLink } from "./error-links.ts";
import type { Era, ServerInfo } from "./protocol.ts";
import { outcomeSummary } from "./outcome-summary.ts";
import { readArguments } from "./read-arguments.ts";
import { redactArguments } from "./redact-arguments.ts";
import type { RegisteredTool } from "./registry.ts";
import { answerResult, errorResult, type ToolResult } from "./tool-result.ts";

/** Answer well before hosts give up at a minute. */
export const CALL_LIMIT_MS = 30_000;
/** A call that may change something gets this much longer to say what became of it, once its signal has aborted. */
const SETTLE_MS = 5_000;

/** Told once for each finished call. */
export interface CallMetrics {
  toolCall(tool: string, end: AuditEnd): void;
}

export interface CallToolDeps {
  readonly connections: Pick<Connections, "open" | "health">;
  readonly trading: Trading;
  readonly audit: Pick<AuditLog, "record" | "begin" | "complete">;
  readonly metrics: CallMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines: Deadlines;
  readonly serverInfo: ServerInfo;
  readonly errorLink: ErrorLink;
  /** The absolute address of a page of this gateway. */
  readonly pageUrl: (path: string) => string;
  /** Makes an account the caller's current one. */
  readonly pinAccount: (caller: Caller, accountId: string) => Promise<void>;
}

/** One call of a tool, whichever era and whichever way it came. */
export interface ToolCall {
  readonly registered: RegisteredTool;
  /** As the client sent them. */
  readonly arguments: unknown;
  /** Difference between the client's text and `arguments`: such a call is refused. */
  readonly loss: JsonLoss | undefined;
  readonly caller: Caller;
  readonly era: Era;
  readonly requestId: string;
  readonly client: string | undefined;
  readonly address: string | undefined;
  readonly canElicitForm: boolean;
  readonly inputResponse: InputResponse | undefined;
  /** Runs `listener` when the client has hung up. */
  readonly whenHungUp: (listener: () => void) => void;
}

/** Runs one call to its end; never rejects. */
export type CallTool = (call: ToolCall) => Promise<ToolResult>;

type Outcome =
  | { readonly kind: "answer"; readonly answer: ToolAnswer }
  | { readonly kind: "error"; readonly error: GatewayError }
  | { readonly kind: "cancelled" };

/**
 * Makes the one wrapper that every tool call passes: scope, arguments, deadline, connection, audit, metrics, and errors
 * as text for a model.
 */
export function createCallTool(deps: CallToolDeps): CallTool {
  return async (call) => {
    const startedAt = deps.clock.monotonic();
    const run = new CallRun(deps, call);
    const outcome = await run.toOutcome();
    const end = auditEnd(outcome, deps.clock.monotonic() - startedAt, run.upstreamCalls);
    await run.close(end);
    deps.metrics.toolCall(call.registered.tool.name, end);
    return render(deps, call, outcome);
  };
}

/** One call on its way, with what has to be remembered until it ends. */
class CallRun {
  upstreamCalls = 0;
  readonly #deps: CallToolDeps;
  readonly #call: ToolCall;
  readonly #start: AuditStart;
  #begun = false;

  constructor(deps: CallToolDeps, call: ToolCall) {
    this.#deps = deps;
    this.#call = call;
    this.#start = auditStart(call, deps.clock.now());
  }

  async toOutcome(): Promise<Outcome> {
    const { registered, caller } = this.#call;
    try {
      if (registered.tool.scope === "write" && caller.scope !== "write") throw scopeInsufficient(registered.tool.name);
      const args = readArguments(registered, this.#call.arguments, this.#call.loss);
      if (registered.changesSomething) {
        await this.#begin();
      }
      return await this.#limited(args);
    } catch (error) {
      return { kind: "error", error: this.#toGatewayError(error) };
    }
  }

  /** Stores the audit row of a change before anything else happens. Throws `storage_unavailable`. */
  async #begin(): Promise<void> {
    try {
      await this.#deps.audit.begin(this.#start);
      this.#begun = true;
    } catch (error) {
      this.#deps.log.error({ err: error, requestId: this.#call.requestId }, "could not store the audit row of a call, which was refused");
      throw new GatewayError("storage_unavailable", "The gateway's database could not store the call. Nothing was sent.", {
        whatToDo: "Nothing was done. Send it again later, with the same client_order_id if it had one.",
        retryAfterSeconds: 10,
        cause: error,
      });
    }
  }

  /** Writes the row. A change that has happened is told even if its row can't be completed: the row says `started`. */
  async close(end: AuditEnd): Promise<void> {
    if (!this.#begun) {
      this.#deps.audit.record(this.#start, end);
      return;
    }
    try {
      await this.#deps.audit.complete(this.#call.requestId, end);
    } catch (error) {
      this.#deps.log.error({ err: error, requestId: this.#call.requestId }, "the audit row of a call could not be completed");
    }
  }

  /** Runs the tool against its deadline. Whichever comes first is the outcome: its answer, its error, the end of its time, the hang-up. */
  #limited(args: Record<string, unknown>): Promise<Outcome> {
    const { registered } = this.#call;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const deadline = this.#deps.deadlines.start(CALL_LIMIT_MS, () => {
      if (!registered.changesSomething) resolve({ kind: "error", error: lateError(registered) });
      else this.#settleWithin(resolve);
    });
    if (!registered.changesSomething) {
      this.#call.whenHungUp(() => {
        deadline.abort(new DOMException("the client hung up", "AbortError"));
        resolve({ kind: "cancelled" });
      });
    }
    this.#run(args, deadline).then(
      (answer) => {
        deadline.done();
        resolve({ kind: "answer", answer });
        return undefined;
      },
      (error: unknown) => {
        deadline.done();
        const cutOff = deadline.signal.aborted && !(error instanceof GatewayError);
        resolve({ kind: "error", error: cutOff ? lateError(registered) : this.#toGatewayError(error) });
      },
    );
    return promise;
  }

  /** A call that may have changed something says itself what became of it; only if it doesn't, the outcome is unknown. */
  #settleWithin(resolve: (outcome: Outcome) => void): void {
    const unknown = (): void => resolve({ kind: "error", error: lateError(this.#call.registered) });
    this.#deps.clock.wait(SETTLE_MS).then(unknown, unknown);
  }

  async #run(args: Record<string, unknown>, deadline: Deadline): Promise<ToolAnswer> {
    const { registered, caller } = this.#call;
    const { connections, clock, trading } = this.#deps;
    const offline: OfflineContext = {
      caller,
      call: {
        signal: deadline.signal,
        caller: caller.id,
        urgent: registered.changesSomething,
        onUpstreamCall: () => {
          this.upstreamCalls += 1;
        },
      },
      clock,
      connectionHealth: () => connections.health(caller),
      pageUrl: this.#deps.pageUrl,
    };
    if (registered.tool.needsBroker === false) return registered.tool.run(args, offline);
    const { broker } = await connections.open(caller, deadline.signal);
    const context: ToolContext = {
      ...offline,
      broker,
      trading,
      pinAccount: (accountId) => this.#deps.pinAccount(caller, accountId),
      canElicitForm: this.#call.canElicitForm,
      inputResponse: this.#call.inputResponse,
    };
    return registered.tool.run(args, context);
  }

  #toGatewayError(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    const { requestId, registered } = this.#call;
    this.#deps.log.error({ err: error, requestId, tool: registered.tool.name }, "a tool failed unexpectedly");
    return internalError(registered, requestId);
  }
}

function render(deps: CallToolDeps, call: ToolCall, outcome: Outcome): ToolResult {
  const failed = (error: GatewayError): ToolResult =>
    errorResult({ error, link: deps.errorLink(error, call.caller) }, call.era, deps.serverInfo);
  switch (outcome.kind) {
    case "answer":
      return answerResult(outcome.answer, call.era, deps.serverInfo);
    case "error":
      return failed(outcome.error);
    case "cancelled":
      return failed(lateError(call.registered));
  }
}

function auditStart(call: ToolCall, at: number): AuditStart {
  const { caller, registered } = call;
  return {
    requestId: call.requestId,
    at,
    userId: caller.userId,
    callerId: caller.id,
    source: caller.source,
    scope: caller.scope,
    connectionId: caller.connectionId,
    tool: registered.tool.name,
    arguments: redactArguments(registered, call.arguments),
    client: call.client,
    address: call.address,
  };
}

function auditEnd(outcome: Outcome, durationMs: number, upstreamCalls: number): AuditEnd {
  const figures = { durationUs: Math.round(durationMs * 1000), upstreamCalls };
  switch (outcome.kind) {
    case "answer": {
      const { answer } = outcome;
      if (answer.kind === "input_required")
        return { outcome: "input_required", code: undefined, ...figures, summary: "The person is asked to confirm." };
      return { outcome: "ok", code: undefined, ...figures, summary: outcomeSummary(answer.text) };
    }
    case "error":
      return { outcome: "error", code: outcome.error.code, ...figures, summary: outcomeSummary(outcome.error.message) };
    case "cancelled":
      return { outcome: "cancelled", code: undefined, ...figures, summary: "The client hung up." };
  }
}

function scopeInsufficient(name: string): GatewayError {
  return new GatewayError("scope_insufficient", `${name} needs the write scope, and this key may only read.`, {
    whatToDo: "Tell the user that this key is read-only; a key with read & write scope can be made in its place.",
  });
}

/** What a call answers that was cut off: a read has changed nothing, anything else may have. */
function lateError({ tool, changesSomething }: RegisteredTool): GatewayError {
  if (changesSomething) {
    return new GatewayError("outcome_unknown", `${tool.name} did not finish in time; it may or may not have taken effect.`, {
      whatToDo: "Do not send it again. Call get_order_status with the client_order_id, or get_orders, to see what became of it.",
    });
  }
  return new GatewayError("timeout", `${tool.name} did not finish within ${CALL_LIMIT_MS / 1000} seconds.`, {
    whatToDo: "Nothing was changed. Try again, and ask for less if you asked for much.",
    retryAfterSeconds: 5,
  });
}

function internalError(registered: RegisteredTool, requestId: string): GatewayError {
  return new GatewayError("internal_error", `${registered.tool.name} failed because of a fault in the gateway (request ${requestId}).`, {
    whatToDo: registered.changesSomething
      ? "Do not send it again before get_orders or get_order_status shows what became of it; give the request id to the gateway's operator."
      : "Try once more; if it fails again, give the request id to the gateway's operator.",
  });
}
