import type { CallOptions } from "../broker/broker.ts";
import type { Api } from "./api.ts";
import type { ApiRequest } from "./transport.ts";

/** Between a priming call and its repeat. */
const PRIMING_PAUSE_MS = 1000;

/** Lists that IBKR answers empty on the first read of a session. */
export class PrimedReads {
  readonly #api: Api;
  /** Endpoint → the session in which it was primed. */
  readonly #primed = new Map<string, number>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Reads a list, and once more when the first read of a session is empty. In a session that was found open, IBKR counts the repeat. */
  async read<T>(request: ApiRequest, read: (request: ApiRequest) => Promise<T[]>, options: CallOptions): Promise<T[]> {
    const rows = await read(request);
    const { session, clock } = this.#api;
    if (this.#primed.get(request.endpoint) === session.generation) return rows;
    this.#primed.set(request.endpoint, session.generation);
    if (rows.length > 0) return rows;
    await clock.wait(PRIMING_PAUSE_MS, options.signal);
    return await read({ ...request, repeatsPriming: session.wasInitialized });
  }
}
