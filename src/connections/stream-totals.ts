import type { Link } from "../upstreams/upstream.ts";

type StreamFigures = NonNullable<ReturnType<Link["streamFigures"]>>;

/** What the streams of all live links come to; counts go on when a link ends. */
export interface StreamTotals {
  /** Streams by state: `off` (nobody needs it), `live`, `polling` (it can't be had at present). */
  readonly states: Readonly<Record<StreamFigures["state"], number>>;
  /** Sockets that took the place of one that had ended. */
  readonly reconnects: number;
  readonly frames: number;
  /** Frames that could not be read. */
  readonly malformed: number;
  /** Open subscriptions. */
  readonly subscriptions: number;
}

/** Sums up streams, those of links that have ended included. */
export class StreamSums {
  readonly #ended = { reconnects: 0, frames: 0, malformed: 0 };

  /** Keeps the counts of a link that is being closed. */
  keep(link: Pick<Link, "streamFigures">): void {
    addCounts(this.#ended, link.streamFigures());
  }

  /** Adds these links to what is kept. */
  total(links: Iterable<Pick<Link, "streamFigures">>): StreamTotals {
    const counts = { ...this.#ended };
    const states = { off: 0, live: 0, polling: 0 };
    let subscriptions = 0;
    for (const link of links) {
      const figures = link.streamFigures();
      if (figures === undefined) continue;
      states[figures.state] += 1;
      subscriptions += figures.subscriptions;
      addCounts(counts, figures);
    }
    return { states, subscriptions, ...counts };
  }
}

function addCounts(sums: { reconnects: number; frames: number; malformed: number }, figures: StreamFigures | undefined): void {
  sums.reconnects += figures?.reconnects ?? 0;
  sums.frames += figures?.frames ?? 0;
  sums.malformed += figures?.malformed ?? 0;
}
