import { describe, expect, it } from "vitest";

import type { Link } from "../upstreams/upstream.ts";
import { StreamSums } from "./stream-totals.ts";

type Figures = NonNullable<ReturnType<Link["streamFigures"]>>;

function streaming(figures: Partial<Figures> | undefined): Pick<Link, "streamFigures"> {
  const plain: Figures = { state: "off", openings: 0, reconnects: 0, frames: 0, malformed: 0, subscriptions: 0 };
  return { streamFigures: () => (figures === undefined ? undefined : { ...plain, ...figures }) };
}

describe("the figures of all streams", () => {
  it("are summed over links, those without a stream left out", () => {
    const sums = new StreamSums();
    const links = [
      streaming({ state: "live", reconnects: 2, frames: 10, malformed: 1, subscriptions: 4 }),
      streaming({ state: "polling", reconnects: 1, frames: 5 }),
      streaming({}),
      streaming(undefined),
    ];
    expect(sums.total(links)).toEqual({
      states: { off: 1, live: 1, polling: 1 },
      reconnects: 3,
      frames: 15,
      malformed: 1,
      subscriptions: 4,
    });
  });

  it("keep what was counted on a link that ended, but neither its state nor its subscriptions", () => {
    const sums = new StreamSums();
    sums.keep(streaming({ state: "live", reconnects: 2, frames: 10, malformed: 1, subscriptions: 4 }));
    sums.keep(streaming(undefined));
    expect(sums.total([streaming({ state: "live", frames: 3, subscriptions: 1 })])).toEqual({
      states: { off: 0, live: 1, polling: 0 },
      reconnects: 2,
      frames: 13,
      malformed: 1,
      subscriptions: 1,
    });
  });
});
