import { array, assert, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { extremesOf, tradeAt, type TreeRoot } from "./price-tree.ts";
import { volumeThrough } from "./volume-tree.ts";

const anyRoot = tuple(integer(), integer({ min: 3, max: 700 }), array(integer({ min: 1, max: 5000 }), { minLength: 4, maxLength: 4 })).map(
  ([key, intervals, prices]): TreeRoot => {
    const [open = 1, close = 1] = prices;
    return { key, intervals, open, close, high: Math.max(...prices), low: Math.min(...prices) };
  },
);

describe("the tree of a day's prices", () => {
  it("has single trades whose open, high, low and close are those of the day", () => {
    assert(
      property(anyRoot, (root) => {
        const trades = Array.from({ length: root.intervals + 1 }, (_, index) => tradeAt(root, index));
        expect([trades[0], trades.at(-1), Math.max(...trades), Math.min(...trades)]).toEqual([root.open, root.close, root.high, root.low]);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("tells the low and high of any run of trades without looking at each", () => {
    assert(
      property(anyRoot, integer({ min: 0, max: 700 }), integer({ min: 0, max: 700 }), (root, a, b) => {
        const [first, last] = [Math.min(a, b, root.intervals), Math.min(Math.max(a, b), root.intervals)];
        const trades = Array.from({ length: last - first + 1 }, (_, index) => tradeAt(root, first + index));
        expect(extremesOf(root, first, last)).toEqual({ low: Math.min(...trades), high: Math.max(...trades) });
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});

describe("the tree of a day's volume", () => {
  it("grows from trade to trade to the whole volume", () => {
    assert(
      property(integer(), integer({ min: 0, max: 300 }), integer({ min: 0, max: 1_000_000 }), (key, intervals, extra) => {
        const root = { key, intervals, atLeast: 1, extra };
        expect(volumeThrough(root, -1)).toBe(0);
        for (let index = 0; index <= intervals; index += 1)
          expect(volumeThrough(root, index)).toBeGreaterThan(volumeThrough(root, index - 1));
        expect(volumeThrough(root, intervals)).toBe(extra + intervals + 1);
      }),
      { numRuns: 50, seed: 3 },
    );
  });
});
