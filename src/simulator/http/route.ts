import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";

/** A request as a handler sees it: authenticated, paced, its body parsed (losslessly: non-integers are text). */
export interface SimRequest {
  readonly method: string;
  /** Without `/v1/api`. */
  readonly path: string;
  /** Values of the `{name}` parts of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, or undefined when the body was empty. */
  readonly body: unknown;
  /** Epoch ms. */
  readonly now: number;
  /** When it reached the simulator, epoch ms; earlier than `now` where something held it up. */
  readonly arrivedAt: number;
}

/** What goes back: a status and a body, written as JSON unless it is text. Numbers in `json` may be `rawNumber(text)` for exact digits. */
export type SimReply = ({ readonly json: unknown } | { readonly text: string; readonly contentType: string }) & {
  readonly status: number;
  /** Further headers, by lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the body after which the connection ends. */
  readonly cutAfter?: number;
};

/** Returns the body of a reply as it is sent. */
export const textOf = (reply: SimReply): string => ("text" in reply ? reply.text : JSON.stringify(reply.json));

/** Which session a route needs: the read-only tier (Live Session Token), or an established brokerage session. */
type Tier = "sso" | "brokerage";

/** One row of the pacing table: at most `requests` in `perMs`, or `concurrent` at once. */
export type RoutePacing = { readonly requests: number; readonly perMs: number } | { readonly concurrent: number };

/** One endpoint. `path` has no `/v1/api` and may hold `{name}` parts: `/portfolio/{accountId}/positions/{page}`. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly tier: Tier;
  readonly pacing?: RoutePacing;
  /** True where a repeat right after the priming call counts as one with it. */
  readonly primes?: boolean;
  handle(request: SimRequest, session: Session, simulation: Simulation): SimReply | Promise<SimReply>;
}

/** A plain success. */
export const ok = (json: unknown): SimReply => ({ status: 200, json });

/** IBKR's usual error body. */
export const failure = (status: number, error: string): SimReply => ({ status, json: { error, statusCode: status } });

/** A logical failure that IBKR answers with 200 and an `error` key. */
export const refusal = (error: string): SimReply => ({ status: 200, json: { error } });
