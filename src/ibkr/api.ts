import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { failureOf, failureOfTransport, lostLayer } from "./api-failures.ts";
import { TRADING_ACCOUNTS } from "./endpoints/session.ts";
import type { Session } from "./session.ts";
import type { Answer, ApiRequest, Transport } from "./transport.ts";
import { TransportError } from "./transport-error.ts";

/** A cold service at IBKR answers 503 once and is there a moment later. */
const COLD_PAUSE_MS = 700;
const COLD = new Set([502, 503, 504]);

/** A session is taken as open for so long after IBKR last answered in it; a keep-alive goes out each minute. */
const PROVEN_MS = 90_000;

/** What came of a request that must not be repeated. */
export type CommitResult =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "not_sent"; readonly error: Error }
  | { readonly kind: "unknown"; readonly error: Error };

/** How one kind of read differs from the others. */
export interface ReadOptions {
  /** False where 503 is an answer in itself, such as "not this account's order". */
  readonly retryCold?: boolean;
  /** Runs before each attempt: asks for what IBKR must have been asked for first in the session at hand. */
  readonly prepare?: () => Promise<unknown>;
}

/** Sends requests within the session. Reads are recovered from a lost session; what commits is sent at most once. */
export class Api {
  readonly session: Session;
  readonly clock: Clock;
  readonly #transport: Transport;

  constructor(deps: { readonly transport: Transport; readonly session: Session; readonly clock: Clock }) {
    this.session = deps.session;
    this.clock = deps.clock;
    this.#transport = deps.transport;
  }

  /** Reads, and throws `GatewayError` for every answer that isn't a success, also for a 200 with an error text. */
  async read(request: ApiRequest, options: CallOptions, how: ReadOptions = {}): Promise<unknown> {
    const answer = await this.answer(request, options, how);
    const failure = failureOf(answer);
    if (failure !== undefined) throw failure;
    return answer.body;
  }

  /**
   * Reads and gives the answer whatever its status. A lost session is opened again and the read repeated once, and so is a
   * read that met a broken connection or a cold service. For reads and for what may safely be done twice only.
   */
  async answer(request: ApiRequest, options: CallOptions, how: ReadOptions = {}): Promise<Answer> {
    const left = { session: 1, connection: 1, limit: 1, cold: how.retryCold === false ? 0 : 1 };
    for (;;) {
      await this.session.ready(options.signal);
      await how.prepare?.();
      const { generation } = this.session;
      const answer = await this.#try(request, options, { left, generation });
      if (answer === undefined) continue;
      const layer = lostLayer(answer);
      if (layer !== undefined) this.session.lost(generation, layer);
      if (layer !== undefined && left.session > 0) left.session -= 1;
      else if (answer.status === 429 && left.limit > 0) left.limit -= 1; // Its endpoint is closed for a while now, and the next turn comes after that.
      else if (COLD.has(answer.status) && left.cold > 0) {
        left.cold -= 1;
        await this.clock.wait(COLD_PAUSE_MS, options.signal);
      } else return answer;
    }
  }

  /** Sends a request that changes something, once, whatever happens. Never throws. */
  async commit(request: ApiRequest, options: CallOptions): Promise<CommitResult> {
    try {
      await this.session.ready(options.signal);
      // A session that ended unnoticed would leave the outcome unknown: asking first costs a read, and reads are recovered.
      if (this.#transport.silentMs() > PROVEN_MS) await this.read(TRADING_ACCOUNTS, options);
      const { generation } = this.session;
      const answer = await this.#transport.send({ ...request, urgent: true, committing: true }, options, this.session.senderOf(generation));
      const layer = lostLayer(answer);
      if (layer !== undefined) this.session.lost(generation, layer);
      return { kind: "answered", answer };
    } catch (error) {
      const failure = commitFailure(error);
      const isUnknown = error instanceof TransportError && error.sent === "maybe";
      return { kind: isUnknown ? "unknown" : "not_sent", error: failure };
    }
  }

  async #try(
    request: ApiRequest,
    options: CallOptions,
    { left, generation }: { left: { connection: number }; generation: number },
  ): Promise<Answer | undefined> {
    try {
      return await this.#transport.send(request, options, this.session.senderOf(generation));
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      options.signal.throwIfAborted();
      if ((error.reason !== "connection" && error.reason !== "session") || left.connection === 0) throw failureOfTransport(error);
      left.connection -= 1;
      return undefined;
    }
  }
}

/** A refusal to let the request leave is passed on as it was thrown. */
function commitFailure(error: unknown): Error {
  if (error instanceof TransportError)
    return error.reason === "refused" && error.cause instanceof Error ? error.cause : failureOfTransport(error);
  return error instanceof Error ? error : new Error(String(error));
}
