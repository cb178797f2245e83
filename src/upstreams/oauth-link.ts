import { createIbkrBroker } from "../ibkr/ibkr-broker.ts";
import type { ProveMode } from "../ibkr/mode-proof.ts";
import { OAuthLogin } from "../ibkr/oauth-login.ts";
import { prepareConsumer } from "../ibkr/oauth1a.ts";
import { createSocketEdge } from "../ibkr/socket-edge.ts";
import { type Secret, sha256Hex } from "../lib/secret.ts";
import type { GuardedEdge } from "./guarded-edge.ts";
import type { Link, UpstreamDeps } from "./upstream.ts";

/** Where an OAuth 1.0a consumer logs in, and with what. */
export interface OAuthRoute {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly consumerKey: string;
  readonly accessToken: Secret;
  readonly accessTokenSecret: Secret;
  /** Hex. */
  readonly dhPrime: Secret;
  readonly privateSignaturePem: Secret;
  readonly privateEncryptionPem: Secret;
  readonly proveMode: ProveMode;
  /** The way to an address that a person named; the gateway's ordinary one where it isn't given. */
  readonly edge?: GuardedEdge | undefined;
}

/** Makes a link that logs in by OAuth 1.0a, and out when it is closed. Throws `connection_not_ready` when a key can't be used. */
export function connectByOAuth(route: OAuthRoute, deps: UpstreamDeps): Link {
  const { baseUrl, consumerKey, accessTokenSecret, privateSignaturePem, privateEncryptionPem, proveMode, edge } = route;
  const { clock, random, log, expectedMode } = deps;
  const consumer = prepareConsumer({
    consumerKey,
    accessToken: route.accessToken.reveal(),
    accessTokenSecret,
    dhPrime: route.dhPrime.reveal(),
    privateSignaturePem,
    privateEncryptionPem,
  });
  const login = new OAuthLogin({ consumer, baseUrl, clock, random });
  // A consumer key is public: whoever names another's shall not wait in their queue, nor they in his. The access token is known to them alone.
  const identity = JSON.stringify([baseUrl, consumerKey, sha256Hex(route.accessToken.reveal())]);
  const budget = deps.budgets?.join(identity, login.face, { isVouched: edge === undefined });
  return createIbkrBroker(
    {
      baseUrl,
      login,
      proveMode,
      expectedMode,
      clock,
      random,
      log,
      fetch: edge?.fetch ?? deps.fetch,
      socket: edge?.socket ?? deps.socket ?? createSocketEdge(),
      ...(budget === undefined ? {} : { budget }),
    },
    { logoutOnClose: true },
  );
}
