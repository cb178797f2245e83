import type { World } from "../../../src/simulator/create-world.ts";
import { ConnectionDropped } from "../../../src/simulator/control/with-faults.ts";
import { textOf } from "../../../src/simulator/http/route.ts";
import { isRecord, parseLossless } from "../../../src/lib/json.ts";
import type { Fate } from "./fate.ts";
import type { Life } from "./life.ts";
import type { Dice } from "./plan.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A request takes this long each way, and up to as much again. */
const TRANSIT_MS = 5;

const ORDERS = /^\/iserver\/account\/[^/]+\/orders$/;
const REPLY = /^\/iserver\/reply\/([^/]+)$/;

/** An order, or the yes to a question about it, that leaves a process. */
export interface Leaving {
  readonly life: Life;
  readonly customerOrderId: string;
  readonly quantity: string;
  readonly isYes: boolean;
}

export interface NetworkDeps {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly fate: Fate;
  readonly world: World;
  readonly dice: Dice;
  /** Called when the first byte of an order leaves. */
  readonly leaves: (leaving: Leaving) => void;
}

/** The network between the processes and the simulator, which runs here without a server. */
export class Network {
  readonly #deps: NetworkDeps;
  /** Question → the order that it is about. */
  readonly #asked = new Map<string, Omit<Leaving, "life" | "isYes">>();
  /** Order requests without a response and questions without a reply, with the process whose exchange it is. */
  readonly #exchanges = new Map<string, { readonly life: Life; readonly customerOrderId: string }>();
  /** Connections for an order that are still to be refused. */
  unreachable: number;
  #count = 0;

  constructor(deps: NetworkDeps, unreachable: number) {
    this.#deps = deps;
    this.unreachable = unreachable;
  }

  /** The network edge of one process. */
  edgeOf(slot: number, life: Life): typeof fetch {
    return (input, init) => this.#send({ slot, life }, new URL(input instanceof Request ? input.url : input), init);
  }

  /** Orders whose exchange a living process has not ended. */
  underWay(): readonly { readonly life: Life; readonly customerOrderId: string }[] {
    return [...this.#exchanges.values()].filter(({ life }) => !life.isDead);
  }

  async #send(from: { slot: number; life: Life }, url: URL, init: RequestInit | undefined): Promise<Response> {
    this.#count += 1;
    const key = `request ${this.#count}`;
    try {
      return await this.#exchange(key, from, { url, init });
    } finally {
      this.#exchanges.delete(key);
      const question = REPLY.exec(url.pathname.replace("/v1/api", ""))?.[1];
      if (question !== undefined) this.#exchanges.delete(question);
    }
  }

  async #exchange(
    key: string,
    { slot, life }: { slot: number; life: Life },
    { url, init }: { readonly url: URL; readonly init: RequestInit | undefined },
  ): Promise<Response> {
    const { time, trace, fate, world, dice } = this.#deps;
    const { body: stream, method = "GET", signal } = init ?? {};
    const path = url.pathname.replace("/v1/api", "");
    if (method === "POST" && ORDERS.test(path) && this.unreachable > 0) {
      this.unreachable -= 1;
      trace.add(`${life.id} can't reach IBKR`);
      throw failed("ECONNREFUSED", "connect");
    }
    // The connection is made before the body is read, which is when a gateway asks whether it may send it.
    await untilAborted(time.wait(TRANSIT_MS + dice.roll(TRANSIT_MS)), signal ?? undefined);
    await life.pass();
    const body = await untilAborted(bodyOf(stream), signal ?? undefined);
    const order = method === "POST" ? this.#orderOf(path, body) : undefined;
    const at = (point: "send" | "reply", side: "before" | "after"): Promise<void> =>
      order === undefined ? life.pass() : fate.at({ slot, life, point, side, about: order.customerOrderId });
    await at("send", "before");
    if (order !== undefined) {
      trace.add(`${life.id} sends ${order.isYes ? "yes for" : "order"} ${order.customerOrderId}`);
      this.#deps.leaves({ ...order, life });
      this.#exchanges.set(key, { life, customerOrderId: order.customerOrderId });
    }
    const transit = TRANSIT_MS + dice.roll(TRANSIT_MS);
    const answering = time.wait(transit).then(() => world.answer(wireRequest({ url, path, method, body, init })));
    // A process that dies now leaves it without a reader.
    answering.catch(() => undefined);
    await at("send", "after");
    const reply = await untilAborted(answering, signal ?? undefined).catch((error: unknown) => {
      throw error instanceof ConnectionDropped ? failed("ECONNRESET", "read") : error;
    });
    await untilAborted(time.wait(TRANSIT_MS + dice.roll(TRANSIT_MS)), signal ?? undefined);
    await at("reply", "before");
    const text = textOf(reply);
    if (order !== undefined) {
      trace.add(`${life.id} hears ${reply.status} ${shortened(text)}${reply.cutAfter === undefined ? "" : ` cut after ${reply.cutAfter}`}`);
    }
    if (reply.cutAfter !== undefined && reply.cutAfter < text.length) throw failed("ECONNRESET", "read");
    if (order !== undefined) this.#learn(text, order, life);
    const date = new Date(world.clock.now() + world.skewMs()).toUTCString();
    return new Response(text, { status: reply.status, headers: { date } });
  }

  #orderOf(path: string, body: string): Omit<Leaving, "life"> | undefined {
    const sent = body === "" ? undefined : parseLossless(body);
    const question = REPLY.exec(path)?.[1];
    if (question !== undefined) {
      const about = this.#asked.get(question);
      return about !== undefined && isRecord(sent) && sent["confirmed"] === true ? { ...about, isYes: true } : undefined;
    }
    if (!ORDERS.test(path) || !isRecord(sent) || !Array.isArray(sent["orders"])) return undefined;
    const [order] = sent["orders"];
    if (!isRecord(order)) return undefined;
    return { customerOrderId: String(order["cOID"]), quantity: String(order["quantity"]), isYes: false };
  }

  #learn(text: string, { customerOrderId, quantity }: Omit<Leaving, "life">, life: Life): void {
    const question = /^\[\{"id":"([^"]+)"/.exec(text)?.[1];
    if (question === undefined) return;
    this.#asked.set(question, { customerOrderId, quantity });
    this.#exchanges.set(question, { life, customerOrderId });
  }
}

interface Sent {
  readonly url: URL;
  readonly path: string;
  readonly method: string;
  readonly body: string;
  readonly init: RequestInit | undefined;
}

function wireRequest({ url, path, method, body, init }: Sent) {
  return {
    method,
    rawPath: url.pathname,
    path,
    query: url.search.slice(1),
    authorization: new Headers(init?.headers).get("authorization") ?? undefined,
    host: url.host,
    ownEndpoint: false,
    forwarded: false,
    remoteAddress: "127.0.0.1",
    body,
  };
}

async function bodyOf(stream: RequestInit["body"]): Promise<string> {
  if (stream === undefined || stream === null) return "";
  try {
    return await new Response(stream).text();
  } catch (error) {
    throw new TypeError("fetch failed", { cause: error });
  }
}

function shortened(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 100);
}

function failed(code: string, syscall: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(`${syscall} ${code}`), { code, syscall }) });
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
