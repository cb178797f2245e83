import { GatewayError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { clientPortalGateway } from "./client-portal-gateway.ts";
import { ibkrOauth } from "./ibkr-oauth.ts";
import { simulator } from "./simulator.ts";
import type { Link, StoredConnection, Upstream, UpstreamDeps } from "./upstream.ts";

/** Every kind of connection, one file each; a new kind is one more line. */
export const upstreams: readonly Upstream[] = [simulator, ibkrOauth, clientPortalGateway];

/** Makes the link of a stored connection. Throws `connection_not_ready` when its kind is unknown or what is stored can't be used. */
export function connectUpstream(stored: StoredConnection, deps: UpstreamDeps): Link {
  const upstream = upstreams.find((candidate) => candidate.kind === stored.kind);
  if (upstream === undefined) throw notReady(`its kind (${stored.kind}) is unknown to this version of the gateway`);
  const settings = upstream.settings.safeParse(stored.settings);
  if (!settings.success) throw notReady("its settings are incomplete or wrong");
  const needed = upstream.neededSecrets?.(settings.data, deps.embeddedSimulator) ?? upstream.secretFields;
  const missing = needed.filter((field) => (stored.secrets[field] ?? "") === "");
  if (missing.length > 0) throw notReady(`it lacks ${missing.join(", ")}`);
  if (!upstream.modes.includes(deps.expectedMode)) throw notReady(`a connection of its kind is never ${deps.expectedMode}`);
  const secrets = Object.fromEntries(upstream.secretFields.map((field) => [field, new Secret(stored.secrets[field] ?? "")]));
  return upstream.connect(settings.data, secrets, deps);
}

function notReady(why: string): GatewayError {
  return new GatewayError("connection_not_ready", `The connection can't be used: ${why}.`, { whatToDo: "Set the connection up again." });
}
