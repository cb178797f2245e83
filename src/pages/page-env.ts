import type { IncomingMessage, ServerResponse } from "node:http";

import type { Context } from "hono";

/** What a page's handler may read of the request beside what Hono knows. */
export interface PageEnv {
  readonly Bindings: {
    readonly facts: { readonly requestId: string; readonly address: string | undefined };
    readonly incoming: IncomingMessage;
    readonly outgoing: ServerResponse;
  };
}

/** A request for a page. */
export type PageRequest = Context<PageEnv>;
