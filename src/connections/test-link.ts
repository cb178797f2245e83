import type { LinkHealth } from "../broker/health.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Link } from "../upstreams/upstream.ts";

/** Apple at NASDAQ: the instrument of IBKR's own examples, quoted for everybody, if late. */
const WELL_KNOWN_CONID = 265_598;
const CALLER = "connection test";
/** A connection that broke is made anew by the next request, which may have to wait for its turn; a person who looks on waits no longer. */
const NO_NETWORK_MS = 3_000;

export interface TestLinkDeps {
  readonly clock: Pick<Clock, "wait">;
  readonly log: Log;
}

/**
 * Opens a link at a person's wish, and reads accounts and one quote. What fails stands in the link's health. Ends soon when nobody
 * answers at all, although the session goes on trying.
 */
export async function testLink(link: Link, signal: AbortSignal, deps: TestLinkDeps): Promise<void> {
  const offline = watchNetwork(link, deps);
  const call = { signal: AbortSignal.any([signal, offline.signal]), caller: CALLER };
  try {
    await link.check(call.signal);
    await link.accounts(call);
    await link.quotes([WELL_KNOWN_CONID], call);
  } catch (error) {
    if (!(error instanceof GatewayError) && !call.signal.aborted) throw error;
    deps.log.info({ code: error instanceof GatewayError ? error.code : "aborted" }, "a connection's test found a fault");
  } finally {
    offline.end();
  }
}

/** Aborts its signal once the network has been away for a while. */
function watchNetwork(link: Link, { clock, log }: TestLinkDeps): { readonly signal: AbortSignal; end(): void } {
  const offline = new AbortController();
  let waiting: AbortController | undefined;
  const stopWaiting = (): void => {
    waiting?.abort(new Error("the network is there, or the test is over"));
    waiting = undefined;
  };
  const stopListening = link.onHealth((health) => {
    if (!isOffline(health)) stopWaiting();
    else if (waiting === undefined) {
      const { signal } = (waiting = new AbortController());
      const given = clock.wait(NO_NETWORK_MS, signal).then(
        () => offline.abort(new Error("nobody answers")),
        () => undefined,
      );
      background(given, log, "waiting for the network");
    }
  });
  return {
    signal: offline.signal,
    end: () => {
      stopListening();
      stopWaiting();
    },
  };
}

function isOffline({ layers }: LinkHealth): boolean {
  return layers.some(({ layer, state }) => layer === "network" && (state === "waiting" || state === "down"));
}
