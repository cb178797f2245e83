import type { IncomingMessage, ServerResponse } from "node:http";

import type { Caller } from "../connections/caller.ts";
import { hideSecrets } from "../lib/hide-secrets.ts";
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

/** Longest text of a request's own that is stored with it, and how much of a longer one is searched for secrets. */
const MAX_STORED = 200;
const MAX_SEARCHED = 1_024;

/** What a program says of itself. */
export function clientOf(req: IncomingMessage): string | undefined {
  const agent = req.headers["user-agent"];
  return agent === undefined ? undefined : storable(agent);
}

/** Returns the start of a text that a request brought, without secrets: it is stored with the request. */
export function storable(text: string, maxLength = MAX_STORED): string {
  return hideSecrets(text, MAX_SEARCHED).slice(0, maxLength);
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
