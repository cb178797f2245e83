import type { Caller } from "../../../src/connections/caller.ts";
import { Decimal } from "../../../src/lib/decimal.ts";
import { GatewayError } from "../../../src/lib/errors.ts";
import type { OrderDraft } from "../../../src/trading/order-draft.ts";
import type { OrderName, PlaceOutcome, TradingCall } from "../../../src/trading/trading.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Plan, PlannedCall, Wish } from "./plan.ts";
import { type Promises, quantityOf } from "./promises.ts";
import { type Claim, claimOf, claimOfError, claimOfFound } from "./protocol.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

const AAPL = 265598;
/** How long a person thinks about a question. */
const THINKING_MS = 1_500;
/** When the state of an order of open outcome is asked for, after the outcome. */
const POLLS_MS = [15_000, 150_000, 360_000, 1_200_000, 2_400_000] as const;

export interface CallersDeps {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly promises: Promises;
  readonly accountId: string;
  readonly limitPrice: Decimal;
  readonly keys: readonly string[];
  /** Called with a failure of the simulation itself. */
  broken(error: unknown): void;
  /** The process that runs in a slot now; undefined while none does. */
  process(slot: number): GatewayProcess | undefined;
}

/** Callers: they place orders, hang up, repeat, forget their ids, and confirm or decline questions. */
export class Callers {
  readonly #deps: CallersDeps;
  #count = 0;

  constructor(deps: CallersDeps) {
    this.#deps = deps;
  }

  /** Lets one call arrive. */
  call(call: PlannedCall): void {
    const { plan } = this.#deps;
    const wish = plan.wishes[call.wish];
    if (wish === undefined) throw new RangeError(`no wish ${call.wish}`);
    const clientOrderId = call.forgetsId ? undefined : wish.clientOrderId;
    this.#count += 1;
    const name = `call ${this.#count} (${wish.name}${clientOrderId === undefined ? "" : ` ${clientOrderId}`})`;
    const placing = { name, wish, call, isNamed: clientOrderId !== undefined };
    if (call.does === "place") return this.#place({ ...placing, clientOrderId });
    if (call.does === "status") return this.#look({ ...placing, clientOrderId });
    return this.#begin({
      ...placing,
      name: `${name} cancel`,
      send: async ({ trading }, forCall) => {
        const { orderId, status } = await trading.cancelOrder(this.#nameOf(clientOrderId), forCall);
        return { claim: { kind: "placed", orderId }, words: `cancelled ${orderId}: ${status}` };
      },
    });
  }

  #nameOf(clientOrderId: string | undefined): OrderName {
    return { accountId: this.#deps.accountId, orderId: undefined, clientOrderId };
  }

  #look({ clientOrderId, name, ...asking }: Placing): void {
    this.#begin({
      ...asking,
      name: `${name} status`,
      send: async ({ trading }, call) => said(claimOfFound(await trading.findOrder(this.#nameOf(clientOrderId), call))),
    });
  }

  /** Asks for the state of an order again and again, at both processes. */
  #poll({ name, wish, call, isNamed }: Asked, clientOrderId: string): void {
    for (const [index, ms] of POLLS_MS.entries())
      this.#deps.time.after(ms, () =>
        this.#look({
          name: `${name} poll ${index + 1}`,
          wish,
          isNamed,
          clientOrderId,
          call: { ...call, does: "status", process: (call.process + index) % 2, hangsUpAfterMs: undefined, polls: false },
        }),
      );
  }

  #place({ clientOrderId, ...placing }: Placing): void {
    const draft = this.#draftOf(placing.wish);
    this.#begin({
      ...placing,
      send: async ({ trading }, call) => heard(await trading.placeOrder({ draft, clientOrderId, reason: placing.wish.name }, call)),
    });
  }

  #begin(asked: Asked): void {
    const { time, trace, promises } = this.#deps;
    const { name, call, wish, send, isNamed } = asked;
    const isOwnCall = call.does === "place";
    const process = this.#deps.process(call.process);
    if (process === undefined) return trace.add(`${name} finds no process ${call.process + 1}`);
    trace.add(`${name} arrives at ${process.life.id}`);
    if (isOwnCall) promises.asks(call.wish, { isNamed });
    let isOver = false;
    const end = (): void => {
      if (!isOver && isOwnCall) promises.ends(call.wish);
      isOver = true;
    };
    process.life.onDeath(end);
    const hangUp = new AbortController();
    let isGone = false;
    if (call.hangsUpAfterMs !== undefined)
      time.after(call.hangsUpAfterMs, () => {
        if (isOver) return;
        isGone = true;
        trace.add(`${name} hangs up`);
        process.life.run(() => hangUp.abort(new Error("the caller hung up")));
      });
    const hears = async ({ claim, words, token, open }: Heard): Promise<void> => {
      await process.life.pass();
      trace.add(`${name} ${isGone ? "would be told" : "is told"} ${words}`);
      if (!isGone) promises.hears(call.wish, claim, { isNamed, isOwnCall });
      end();
      if (!isGone && token !== undefined) this.#goOn(asked, token);
      if (!isGone && open !== undefined && call.polls) this.#poll(asked, open);
    };
    const failed = (error: unknown): Promise<void> => hears(heardError(error));
    this.#run(process, { wish, call, hangUp, send })
      .then(hears, failed)
      .catch((error: unknown) => this.#deps.broken(error));
  }

  async #run(process: GatewayProcess, { wish, call, hangUp, send }: Running): Promise<Heard> {
    const { keys, time } = this.#deps;
    const done = new AbortController();
    time
      .clockOf(process.life)
      .wait(call.deadlineMs, done.signal)
      .then(
        () => hangUp.abort(new GatewayError("timeout", "The call took too long.", { whatToDo: "Ask again." })),
        () => undefined,
      );
    try {
      const checked = await process.bearer.check(`Bearer ${keys[wish.key] ?? ""}`, { address: undefined, client: undefined });
      if (checked.kind === "refused") throw new GatewayError("invalid_arguments", `401 ${checked.reason}: not sent`, { whatToDo: "" });
      const { caller } = checked;
      refuseReadOnly(caller);
      const { signal } = hangUp;
      const { broker } = await process.connections.open(caller, signal);
      return await send(process, { caller, broker, call: { signal, caller: caller.id, urgent: true } });
    } finally {
      done.abort();
    }
  }

  /** A question was asked: it is confirmed, declined or left. */
  #goOn({ call, wish, isNamed }: Asked, token: string): void {
    if (call.onQuestion === "ignore") return;
    const { time } = this.#deps;
    const isYes = call.onQuestion === "confirm";
    const request = { token, draft: undefined, accountId: undefined, clientOrderId: undefined };
    const left = call.confirms > 0 ? call.onQuestion : "ignore";
    time.after(THINKING_MS, () => {
      this.#count += 1;
      this.#begin({
        name: `call ${this.#count} (${wish.name} ${isYes ? "confirms" : "declines"})`,
        wish,
        call: { ...call, hangsUpAfterMs: undefined, confirms: call.confirms - 1, onQuestion: left },
        isNamed,
        send: async ({ trading }, forCall) =>
          heard(await (isYes ? trading.confirmOrder(request, forCall) : trading.declineOrder(request, forCall))),
      });
    });
  }

  #draftOf(wish: Wish): OrderDraft {
    const { accountId, limitPrice } = this.#deps;
    return {
      accountId,
      conid: AAPL,
      symbol: "AAPL",
      currency: "USD",
      side: "BUY",
      quantity: Decimal.parse(quantityOf(wish)),
      orderType: wish.type,
      limitPrice: wish.type === "LMT" ? limitPrice : undefined,
      stopPrice: undefined,
      timeInForce: "DAY",
      outsideRth: false,
    };
  }
}

/** What came of a call. */
interface Heard {
  readonly claim: Claim;
  readonly words: string;
  /** Confirms a question that was asked. */
  readonly token?: string;
  /** The id by which to ask for an outcome that is open. */
  readonly open?: string;
}

interface Placing extends Omit<Asked, "send"> {
  readonly clientOrderId: string | undefined;
}

/** A call with what it sends. */
interface Asked {
  readonly name: string;
  readonly wish: Wish;
  readonly call: PlannedCall;
  /** Whether it names its order: its outcome then concerns every call of that name. */
  readonly isNamed: boolean;
  readonly send: (process: GatewayProcess, call: TradingCall) => Promise<Heard>;
}

interface Running extends Pick<Asked, "wish" | "call" | "send"> {
  readonly hangUp: AbortController;
}

/** A read-only caller is not offered the tool. */
function refuseReadOnly({ scope }: Caller): void {
  if (scope !== "write") throw new GatewayError("invalid_arguments", "not sent: this key may only read", { whatToDo: "" });
}

function heard(outcome: PlaceOutcome): Heard {
  const claim = claimOf(outcome);
  if (outcome.kind === "placed") return { claim, words: `placed ${outcome.orderId}${outcome.isRepeat ? ", a repeat" : ""}` };
  if (outcome.kind === "confirmation_required") return { claim, words: outcome.kind, token: outcome.token };
  return { claim, words: outcome.kind, ...(outcome.kind === "pending" ? { open: outcome.clientOrderId } : {}) };
}

function heardError(error: unknown): Heard {
  const claim = claimOfError(error);
  const words = error instanceof GatewayError ? `${error.code}: ${error.message.slice(0, 90)}` : `an error: ${String(error).slice(0, 90)}`;
  // A duplicate's refusal names another order, which may be of another wish.
  const named = error instanceof GatewayError && error.code !== "possible_duplicate" ? error.details?.["client_order_id"] : undefined;
  return { claim, words, ...(claim.kind === "open" && typeof named === "string" ? { open: named } : {}) };
}

function said(claim: Claim): Heard {
  return { claim, words: claim.kind === "placed" ? `there as ${claim.orderId}` : claim.code };
}
