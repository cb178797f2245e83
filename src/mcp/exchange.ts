import type { IncomingMessage, ServerResponse } from "node:http";

import type { Caller } from "../connections/caller.ts";
import type { JsonLoss } from "../lib/json-loss.ts";

/** What the HTTP server knows of a request: its id and the client's address. Host and Origin have been checked. */
export interface RequestFacts {
  readonly requestId: string;
  readonly address: string | undefined;
}

/** An authenticated request. */
export interface AdmittedRequest extends RequestFacts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly caller: Caller;
  readonly startedAt: number;
}

/** An authenticated request with its parsed body. */
export interface Exchange extends AdmittedRequest {
  readonly message: unknown;
  /** Difference between the body's text and `message` that a call must not pass over. */
  readonly loss: JsonLoss | undefined;
}

/** What a program says of itself. */
export function clientOf(req: IncomingMessage): string | undefined {
  return req.headers["user-agent"]?.slice(0, 200);
}

/** What a tool's call needs to know of the request that brought it. */
export function callFacts({ req, res, requestId, address, loss }: Exchange) {
  return { requestId, address, loss, client: clientOf(req), whenHungUp: (listener: () => void) => onHangUp(res, listener) };
}

function onHangUp(res: ServerResponse, listener: () => void): void {
  res.once("close", () => {
    if (!res.writableEnded) listener();
  });
}
