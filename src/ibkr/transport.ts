import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { parseLossless } from "../lib/json.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { BrokerTime } from "./broker-time.ts";
import { CommittedBody } from "./committed-body.ts";
import type { Pacer, Turn } from "./pacing.ts";
import { TransportError } from "./transport-error.ts";

/** IBKR gives up after about 10 s itself; a read that took longer is not worth waiting for. */
const READ_TIMEOUT_MS = 15_000;
/** An order's answer is worth more patience: without it the outcome is unknown. */
const ORDER_TIMEOUT_MS = 30_000;
/** Larger than any answer we ask for (a thousand bars, two hundred contracts); protects memory. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** One request to the Web API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the base URL, its variable parts encoded. */
  readonly path: string;
  /** The path with its variable parts named: for pacing and logs, which never see an account number. */
  readonly endpoint: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Written as JSON; numbers as `rawNumber(text)` keep their digits. */
  readonly body?: unknown;
  /** Goes before reads: orders, and the session's own upkeep. */
  readonly urgent?: boolean;
  /** The repeat right after a priming call. */
  readonly repeatsPriming?: boolean;
  /** Other callers wait until this one is answered: it goes before what its own caller asked earlier. */
  readonly othersWait?: boolean;
  /** Once sent, it is not given up when the caller hangs up: its answer decides what is known of an order. */
  readonly committing?: boolean;
}

/** What came back, whatever its status. `body` is parsed JSON, or the text where it isn't JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** In whose name requests go: makes the headers that prove it, and hears what came of each. */
export interface Sender {
  /** Called when a request's turn has come, with its address without the query. May throw `TransportError`: nothing is sent then. */
  headers(method: string, url: string): Readonly<Record<string, string>>;
  /** Hears the headers of each answer. */
  heard?(headers: Headers): void;
  /** Hears of each answer that did not come. */
  missed?(error: TransportError): void;
}

/** What the transport needs: the network edge, time, pacing, and who we say we are. */
export interface TransportDeps {
  /** Without a slash at its end: `https://api.ibkr.com/v1/api`. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly log: Log;
  readonly pacer: Pacer;
  /** IBKR's firewall refuses requests without one. */
  readonly userAgent: string;
}

/** Sends requests: pace, sign, fetch, parse losslessly. Never repeats one. */
export class Transport {
  readonly #deps: TransportDeps;
  readonly #time: BrokerTime;
  #answeredAt = -Infinity;
  /** Calls that something was sent for, by whom they tell of it. */
  readonly #begun = new WeakSet<NonNullable<CallOptions["onUpstreamCall"]>>();

  constructor(deps: TransportDeps) {
    this.#deps = deps;
    this.#time = new BrokerTime(deps.clock);
  }

  /** Milliseconds since IBKR last answered anything, by the monotonic clock. */
  silentMs(): number {
    return this.#deps.clock.monotonic() - this.#answeredAt;
  }

  /** IBKR's time, epoch ms; undefined until it has sent one. */
  time(): number | undefined {
    return this.#time.now();
  }

  /** Throws `TransportError` when no answer came, `rate_limited` when no turn did, and the signal's reason before sending. */
  async send(request: ApiRequest, options: CallOptions, sender: Sender): Promise<Answer> {
    const { clock, log } = this.#deps;
    const turn = await this.#deps.pacer.turn({
      endpoint: request.endpoint,
      caller: options.caller,
      urgent: request.urgent === true || options.urgent === true,
      repeatsPriming: request.repeatsPriming === true,
      goesFirst: request.othersWait === true || this.#hasBegun(options),
      signal: options.signal,
    });
    const startedAt = clock.monotonic();
    try {
      const answer = await this.#exchange(request, options, sender);
      if (answer.status === 429) turn.refused();
      turn.done(true);
      log.debug(
        { endpoint: request.endpoint, method: request.method, status: answer.status, ms: clock.monotonic() - startedAt },
        "upstream",
      );
      return answer;
    } catch (error) {
      this.#ended(turn, request, error);
      if (error instanceof TransportError) sender.missed?.(error);
      throw error;
    }
  }

  /** A call of several requests is finished before its caller's next is begun: under load, all would wait for their second one otherwise. */
  #hasBegun({ onUpstreamCall }: CallOptions): boolean {
    return onUpstreamCall !== undefined && this.#begun.has(onUpstreamCall);
  }

  #ended(turn: Turn, request: ApiRequest, error: unknown): void {
    const failure = error instanceof TransportError ? error : undefined;
    turn.done(failure === undefined || failure.sent === "never");
    const facts = { endpoint: request.endpoint, method: request.method, sent: failure?.sent, reason: failure?.reason };
    if (failure?.reason === "aborted") this.#deps.log.debug(facts, "upstream was not waited for");
    else this.#deps.log.warn(facts, "upstream gave no answer");
  }

  async #exchange(request: ApiRequest, options: CallOptions, sender: Sender): Promise<Answer> {
    const url = this.#deps.baseUrl + request.path;
    const query = request.query === undefined ? "" : `?${new URLSearchParams(request.query).toString()}`;
    const headers: Record<string, string> = {
      ...sender.headers(request.method, url),
      "user-agent": this.#deps.userAgent,
      accept: "*/*",
    };
    if (request.body !== undefined) headers["content-type"] = "application/json";
    const limit = this.#limit(request, options.signal);
    if (options.onUpstreamCall !== undefined) this.#begun.add(options.onUpstreamCall);
    options.onUpstreamCall?.();
    const body = request.committing === true ? new CommittedBody(request.body, options.leave) : undefined;
    try {
      const response = await this.#deps.fetch(url + query, {
        method: request.method,
        headers: { ...headers, ...body?.headers },
        redirect: "manual",
        signal: limit.signal,
        ...(body === undefined ? plainBody(request) : body.init),
      });
      this.#time.hear(response.headers);
      this.#answeredAt = this.#deps.clock.monotonic();
      sender.heard?.(response.headers);
      return { status: response.status, body: parseBody(await readText(response)) };
    } catch (error) {
      throw body?.refusal ?? limit.explain(error);
    } finally {
      limit.end();
    }
  }

  /** Aborts when the caller hangs up (unless the request commits) or when time is up. */
  #limit(request: ApiRequest, signal: AbortSignal) {
    const giveUp = new AbortController();
    const timer = new AbortController();
    let timedOut = false;
    const hangUp = () => giveUp.abort();
    if (request.committing !== true) signal.addEventListener("abort", hangUp, { once: true });
    const onTime = () => {
      timedOut = true;
      giveUp.abort();
      return undefined;
    };
    const limitMs = request.committing === true ? ORDER_TIMEOUT_MS : READ_TIMEOUT_MS;
    this.#deps.clock.wait(limitMs, timer.signal).then(onTime, () => undefined);
    return {
      signal: giveUp.signal,
      explain: (error: unknown): Error => {
        if (error instanceof TransportError) return error;
        if (timedOut) return new TransportError("IBKR did not answer in time", { sent: "maybe", reason: "timeout", cause: error });
        if (giveUp.signal.aborted)
          return new TransportError("the caller hung up", { sent: "maybe", reason: "aborted", cause: signal.reason });
        const sent = failedToConnect(error) ? "never" : "maybe";
        return new TransportError(
          sent === "never" ? "IBKR could not be reached" : "the connection to IBKR broke before its answer was complete",
          { sent, reason: "connection", cause: error },
        );
      },
      end: () => {
        timer.abort();
        signal.removeEventListener("abort", hangUp);
      },
    };
  }
}

function plainBody({ body }: ApiRequest): RequestInit {
  return body === undefined ? {} : { body: JSON.stringify(body) };
}

async function readText(response: Response): Promise<string> {
  if (Number(response.headers.get("content-length") ?? 0) > MAX_ANSWER_BYTES) {
    await response.body?.cancel();
    throw tooLarge();
  }
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): TransportError {
  return new TransportError("IBKR's answer is larger than we accept", { sent: "maybe", reason: "oversized" });
}

function parseBody(text: string): unknown {
  try {
    return parseLossless(text);
  } catch (error) {
    // IBKR answers some failures in HTML or plain words, and some with nothing at all.
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** Failures of looking up the host, connecting or the TLS handshake: all come before the first byte of a request. */
const BEFORE_SENDING = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** True when a failed `fetch` is proven never to have sent anything. */
function failedToConnect(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // What refuses a way (an address, a certificate) does so before a byte is sent.
  if (error instanceof GatewayError) return true;
  const { code, syscall, errors, cause } = error as Error & { code?: unknown; syscall?: unknown; errors?: unknown };
  // Several addresses were tried: each of them must have failed to connect.
  if (Array.isArray(errors)) return errors.length > 0 && errors.every(failedToConnect);
  if (syscall === "connect" || syscall === "getaddrinfo") return true;
  return (typeof code === "string" && BEFORE_SENDING.has(code)) || failedToConnect(cause);
}
