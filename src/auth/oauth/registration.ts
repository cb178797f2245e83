import type { IncomingMessage, ServerResponse } from "node:http";

import { errors } from "oidc-provider";

import type { Clock } from "../../lib/clock.ts";
import { isRecord } from "../../lib/json.ts";
import { RateLimit } from "../../lib/rate-limit.ts";
import { readBody } from "../../lib/read-body.ts";
import { addressGroup } from "./address-group.ts";
import { normalizedMetadata } from "./client-metadata.ts";
import { answerError } from "./json-answers.ts";

/** A registration is a kilobyte. */
const MAX_BODY_BYTES = 32_768;
/** Large hosts register twice for each person who connects, all from a few addresses. */
const PER_ADDRESS = { max: 300, windowMs: 600_000, maxKeys: 10_000 };
/** What a flood from everywhere may cost; half a day of it fills the room for clients that nobody approved. */
const IN_ALL = { max: 1_000, windowMs: 600_000, maxKeys: 1 };

/** What members of a registered client its answer shows. */
const SHOWN = [
  "client_id",
  "client_id_issued_at",
  "client_secret",
  "client_secret_expires_at",
  "client_name",
  "redirect_uris",
  "grant_types",
  "response_types",
  "application_type",
  "token_endpoint_auth_method",
  "token_endpoint_auth_signing_alg",
  "jwks_uri",
  "jwks",
] as const;

/** Reads a registration, and answers it itself (undefined) when it can't be taken. */
export type ReadRegistration = (req: IncomingMessage, res: ServerResponse, address: string | undefined) => Promise<string | undefined>;

/** Makes the reader of registrations (RFC 7591): limits, then metadata rebuilt from what we use. */
export function createRegistrationReader(clock: Clock): ReadRegistration {
  const perAddress = new RateLimit({ clock, ...PER_ADDRESS });
  const inAll = new RateLimit({ clock, ...IN_ALL });
  return async (req, res, address) => {
    const waitMs = perAddress.take(addressGroup(address)) || inAll.take("all");
    if (waitMs > 0) {
      res.setHeader("Retry-After", String(Math.ceil(waitMs / 1000)));
      answerError(
        res,
        429,
        "temporarily_unavailable",
        "Too many clients were registered. Try again later, with the client id you have if there is one.",
      );
      return undefined;
    }
    const body = await readBody(req, MAX_BODY_BYTES);
    if (body.kind === "hung_up") {
      res.destroy();
      return undefined;
    }
    if (body.kind === "too_large") {
      res.setHeader("Connection", "close");
      answerError(res, 413, "invalid_client_metadata", `The registration has more than ${MAX_BODY_BYTES} bytes.`);
      return undefined;
    }
    return normalized(body.text, res);
  };
}

function normalized(text: string, res: ServerResponse): string | undefined {
  try {
    const given: unknown = JSON.parse(text);
    if (isRecord(given)) return JSON.stringify(normalizedMetadata(given, "registered"));
    answerError(res, 400, "invalid_client_metadata", "The registration must be a JSON object.");
  } catch (error) {
    if (error instanceof SyntaxError) answerError(res, 400, "invalid_client_metadata", "The registration must be JSON.");
    else if (error instanceof errors.InvalidClientMetadata)
      answerError(res, 400, error.error, error.error_description ?? "invalid metadata");
    else throw error;
  }
  return undefined;
}

/** The answer to a registration, without what the library adds for OpenID. */
export function shownRegistration(client: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(SHOWN.flatMap((name) => (client[name] === undefined ? [] : [[name, client[name]]])));
}
