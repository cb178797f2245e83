import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { LiveOrders } from "./live-orders.ts";
import { LivePnl } from "./live-pnl.ts";
import { LiveQuotes } from "./live-quotes.ts";
import type { Session } from "./session.ts";
import type { SocketEdge } from "./socket-edge.ts";
import { Stream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** Everything that comes by the stream of one session. */
export interface LiveData {
  readonly stream: Stream;
  readonly quotes: LiveQuotes;
  readonly orders: LiveOrders;
  readonly pnl: LivePnl;
}

export interface LiveDataDeps {
  readonly session: Session;
  readonly socket: SocketEdge;
  readonly lines: Streams;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly userAgent: string;
}

/** Makes a session's stream and what is kept current by it. Nothing is opened before something is asked for. */
export function createLiveData({ lines, ...deps }: LiveDataDeps): LiveData {
  const stream = new Stream(deps);
  const { clock } = deps;
  return {
    stream,
    quotes: new LiveQuotes({ stream, lines, clock }),
    orders: new LiveOrders({ stream, clock }),
    pnl: new LivePnl({ stream, clock }),
  };
}
