import { z } from "zod";

import type { ConnectionHealth, ConnectionRef } from "../../connections/connections.ts";
import { connectionsToSameLogin } from "../../connections/same-login.ts";
import { type ConnectionCallers, countConnectionCallers } from "../../storage/connection-callers.ts";
import { findConnection } from "../../storage/connections.ts";
import { nothingHere, type OwnPage } from "../console-visits.ts";
import type { ConnectionPagesDeps } from "./connection-deps.ts";

/** A connection of the person who asks. */
export interface OwnConnection {
  readonly ref: ConnectionRef;
  readonly health: ConnectionHealth;
}

/** Finds the connection that the address names and hands it on; answers 404 when this person has no such. */
export async function withOwnConnection(
  deps: ConnectionPagesDeps,
  page: OwnPage,
  handle: (connection: OwnConnection) => Promise<Response>,
): Promise<Response> {
  const connectionId = page.c.req.param("connection") ?? "";
  const ref = { connectionId, userId: page.user.userId };
  // Whatever stands in the address, only what can be an id is looked for.
  const health = /^con_\w{1,64}$/.test(connectionId) ? await deps.connections.health(ref) : undefined;
  return health === undefined ? nothingHere(deps, page) : await handle({ ref, health });
}

/** By when a new connection's keys come into use at the broker (epoch ms); undefined when they have, or do so at once. */
export async function activeFromOf(
  { storage, offers, clock }: Pick<ConnectionPagesDeps, "storage" | "offers" | "clock">,
  ref: ConnectionRef,
  { kind, createdAt, verifiedAt }: ConnectionHealth,
): Promise<number | undefined> {
  if (verifiedAt !== undefined) return undefined;
  const row = await findConnection(storage, ref);
  const settings = z.record(z.string(), z.unknown()).parse(JSON.parse(row?.settings ?? "{}"));
  const values = Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
  const at = offers.find((offer) => offer.kind === kind)?.activeFrom(values, createdAt);
  return at !== undefined && at > clock.now() ? at : undefined;
}

/** Names of this person's other connections with the same login at the broker: they compete for its one session. */
export async function duplicatesOf(
  { storage }: Pick<ConnectionPagesDeps, "storage">,
  ref: ConnectionRef,
  kind: string,
): Promise<readonly string[]> {
  const row = await findConnection(storage, ref);
  if (row === undefined) return [];
  return await connectionsToSameLogin(storage, { ...ref, kind, settings: JSON.parse(row.settings) });
}

/** Counts the keys and apps that may use a connection at present; with `canWrite`, those that may also trade. */
export async function countCallers(
  { storage, clock }: Pick<ConnectionPagesDeps, "storage" | "clock">,
  ref: ConnectionRef,
  canWrite = false,
): Promise<ConnectionCallers> {
  return await countConnectionCallers(storage, ref, { now: clock.now(), canWrite });
}
