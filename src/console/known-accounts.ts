import type { Account } from "../broker/account.ts";
import type { ConnectionRef, Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";

/** How long a page waits for a connection: opening a session takes under a second when all is well. */
const WAIT_MS = 3_000;

/** Lists a connection's accounts: those that are known of it, or else those that it tells in a moment. Undefined when it doesn't. */
export async function knownAccounts(
  { connections, clock }: { readonly connections: Connections; readonly clock: Clock },
  ref: ConnectionRef,
): Promise<readonly Account[] | undefined> {
  const known = (await connections.health(ref))?.accounts;
  if (known !== undefined) return known;
  const late = new AbortController();
  const enough = new AbortController();
  const timer = clock.wait(WAIT_MS, enough.signal).then(
    () => late.abort(new Error("the page waits no longer")),
    () => undefined,
  );
  try {
    const { broker } = await connections.open(ref, late.signal);
    return await broker.accounts({ signal: late.signal, caller: `console:${ref.connectionId}` });
  } catch (error) {
    if (late.signal.aborted || error instanceof GatewayError) return undefined;
    throw error;
  } finally {
    enough.abort();
    await timer;
  }
}
