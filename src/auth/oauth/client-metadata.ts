import { errors } from "oidc-provider";

import type { AuthorizationRequest } from "./consent-desk.ts";
import { displayName } from "./display-name.ts";
import { redirectUrisFault } from "./redirect-uris.ts";

/** How a client is known. */
export type ClientIdentity = AuthorizationRequest["identity"];

/** The member of our own that says how a client is known; what a client sends under this name is dropped. */
export const IDENTITY_MEMBER = "gateway_identity";

/** Ways in which clients prove themselves at the token endpoint. */
export const CLIENT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"] as const;

const MAX_KEYS_LENGTH = 16_384;

/**
 * Rebuilds client metadata (RFC 7591, and metadata documents) from what we use of it. Clients send much that an authorization
 * server may refuse and that means nothing here: scopes, contacts, grant types of other servers, `null`, `application_type: web`
 * with a private scheme. Throws `InvalidClientMetadata` for redirect URIs or keys that must not be taken.
 */
export function normalizedMetadata(given: Readonly<Record<string, unknown>>, identity: ClientIdentity): Record<string, unknown> {
  const fault = redirectUrisFault(given["redirect_uris"]);
  if (fault !== undefined) throw new errors.InvalidClientMetadata(fault);
  return {
    client_name: displayName(given["client_name"], "Unnamed client"),
    redirect_uris: given["redirect_uris"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    // `native` alone lets loopback ports vary and keeps plain http on this machine; it takes https redirects too.
    application_type: "native",
    ...authentication(given),
    [IDENTITY_MEMBER]: identity,
  };
}

function authentication(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { token_endpoint_auth_method: method, jwks, jwks_uri: jwksUri } = given;
  if (method === undefined || method === null || method === "") return { token_endpoint_auth_method: "none" };
  if (method !== "private_key_jwt") return { token_endpoint_auth_method: method };
  const { token_endpoint_auth_signing_alg: algorithm } = given;
  const signing = typeof algorithm === "string" && algorithm !== "" ? { token_endpoint_auth_signing_alg: algorithm } : {};
  if (typeof jwksUri === "string" && jwksUri !== "") {
    if (URL.parse(jwksUri)?.protocol !== "https:") throw new errors.InvalidClientMetadata("jwks_uri must be an https address");
    return { token_endpoint_auth_method: method, jwks_uri: jwksUri, ...signing };
  }
  if (jwks !== undefined && JSON.stringify(jwks).length > MAX_KEYS_LENGTH) throw new errors.InvalidClientMetadata("jwks is too large");
  return { token_endpoint_auth_method: method, ...(jwks === undefined || jwks === null ? {} : { jwks }), ...signing };
}
