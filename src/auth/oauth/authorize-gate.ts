import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../lib/clock.ts";
import { RateLimit } from "../../lib/rate-limit.ts";
import { loadAssets } from "../../pages/assets.ts";
import { createPageRenderer, type PageRenderer } from "../../pages/page-renderer.tsx";
import { addressGroup } from "./address-group.ts";
import { authorizationErrorPage } from "./error-page.tsx";
import { answerError } from "./json-answers.ts";

/** Authorizations that one address may begin: each is a row for an hour, and an office may share one address. */
const PER_ADDRESS = { max: 300, windowMs: 600_000, maxKeys: 10_000 };
/** Of all addresses together, so that many of them can't fill the table either: ten a second are far more than people begin. */
const IN_ALL = { max: 600, windowMs: 60_000, maxKeys: 1 };

/** A request to `/authorize`. */
export interface AuthorizeRequest {
  /** False for a later step of an authorization, which begins none. */
  readonly begins: boolean;
  readonly address: string | undefined;
}

interface Refusal {
  readonly status: number;
  readonly error: "wrong_method" | "too_many";
  readonly description: string;
}

/** Answers the requests to `/authorize` that can't even be looked at; true when it did. People get a page, programs JSON. */
export type AuthorizeGate = (req: IncomingMessage, res: ServerResponse, request: AuthorizeRequest) => Promise<boolean>;

/** OAuth's names of the errors. */
const CODES = { wrong_method: "invalid_request", too_many: "temporarily_unavailable" };

/** Makes the gate, which counts in the memory of this process. */
export function createAuthorizeGate(clock: Clock): AuthorizeGate {
  const perAddress = new RateLimit({ clock, ...PER_ADDRESS });
  const inAll = new RateLimit({ clock, ...IN_ALL });
  const pages = createPageRenderer({ assets: loadAssets() });
  return async (req, res, { begins, address }) => {
    if (req.method !== "GET") {
      res.setHeader("Allow", "GET");
      const description = "An authorization begins with a browser that is sent here by GET.";
      await refuse(req, res, { pages, refusal: { status: 405, error: "wrong_method", description } });
      return true;
    }
    if (!begins) return false;
    const ownWaitMs = perAddress.take(addressGroup(address));
    // Who is over their own limit uses nothing of everybody's.
    const waitMs = ownWaitMs > 0 ? ownWaitMs : inAll.take("");
    if (waitMs === 0) return false;
    res.setHeader("Retry-After", String(Math.ceil(waitMs / 1000)));
    const whose = ownWaitMs > 0 ? "from your address" : "at this gateway";
    const description = `Too many authorizations were begun ${whose}. Try again in some minutes.`;
    await refuse(req, res, { pages, refusal: { status: 429, error: "too_many", description } });
    return true;
  };
}

async function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  { pages, refusal: { status, error, description } }: { readonly pages: PageRenderer; readonly refusal: Refusal },
): Promise<void> {
  if (!(req.headers.accept ?? "").includes("text/html")) {
    answerError(res, status, CODES[error], description);
    return;
  }
  const page = authorizationErrorPage(pages, { error, description });
  for (const [name, value] of page.headers) res.setHeader(name, value);
  res.statusCode = status;
  res.end(await page.text());
}
