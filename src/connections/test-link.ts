import { GatewayError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Link } from "../upstreams/upstream.ts";

/** Apple at NASDAQ: the instrument of IBKR's own examples, quoted for everybody, if late. */
const WELL_KNOWN_CONID = 265_598;
const CALLER = "connection test";

/** Opens a link at a person's wish, and reads accounts and one quote. What fails stands in the link's health. */
export async function testLink(link: Link, signal: AbortSignal, log: Log): Promise<void> {
  const call = { signal, caller: CALLER };
  try {
    await link.check(signal);
    await link.accounts(call);
    await link.quotes([WELL_KNOWN_CONID], call);
  } catch (error) {
    if (!(error instanceof GatewayError) && !signal.aborted) throw error;
    log.info({ code: error instanceof GatewayError ? error.code : "aborted" }, "a connection's test found a fault");
  }
}
