import type { ConnectionHealth, Connections } from "../../connections/connections.ts";
import { type ConsoleVisitDeps, nothingHere, type OwnPage } from "../console-visits.ts";

/** Finds the connection that the address names and hands on what is known of it; answers 404 when this person has no such. */
export async function withConnectionHealth(
  deps: Pick<ConsoleVisitDeps, "pages"> & { readonly connections: Pick<Connections, "health"> },
  page: OwnPage,
  handle: (health: ConnectionHealth) => Promise<Response>,
): Promise<Response> {
  const connectionId = page.c.req.param("connection") ?? "";
  // Whatever stands in the address, only what can be an id is looked for.
  const isId = /^con_\w{1,64}$/.test(connectionId);
  const health = isId ? await deps.connections.health({ connectionId, userId: page.user.userId }) : undefined;
  return health === undefined ? nothingHere(deps, page) : await handle(health);
}
