import { fraction, mix } from "./hash.ts";

/** Open, high, low and close in whole price units. */
export interface UnitBar {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** A stretch of trading: `intervals + 1` trades at even distances, whose open, high, low and close are given. */
export interface TreeRoot extends UnitBar {
  readonly key: number;
  readonly intervals: number;
}

/** Below this many intervals the trades are laid out one by one instead of being halved further. */
const BLOCK_INTERVALS = 8;
/** Range of a half as a share of its whole: at least the first, at most both together where the prices don't need more. */
const LEAST_SHARE = 0.4;
const SHARE_SPREAD = 0.3;

/** Mutable while a query walks the tree. */
interface Extremes {
  low: number;
  high: number;
}

/**
 * Answers for any trade of a stretch, and for the low and high of any run of its trades, in logarithmic time and without
 * memory: each bar is split into two halves that share the middle price and of which at least one keeps the high, and one the
 * low, down to single trades. So a bar of any length is exactly the bar of the trades in it.
 */
export function extremesOf(root: TreeRoot, first: number, last: number): { readonly low: number; readonly high: number } {
  const found: Extremes = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  collect(root, { from: 0, to: root.intervals, first, last, key: root.key }, found);
  return found;
}

/** The price of one trade of the stretch, 0 being the first. */
export function tradeAt(root: TreeRoot, index: number): number {
  let bar: UnitBar = root;
  let from = 0;
  let to = root.intervals;
  while (to - from > BLOCK_INTERVALS) {
    const middle = (from + to) >> 1;
    if (index < middle) {
      bar = half(bar, root.key, middle).first;
      to = middle;
    } else {
      bar = half(bar, root.key, middle).second;
      from = middle;
    }
  }
  return block(bar, root.key, { from, to })[index - from] ?? bar.close;
}

interface Walk {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
  readonly key: number;
}

function collect(bar: UnitBar, walk: Walk, found: Extremes): void {
  const { from, to, first, last, key } = walk;
  if (last < from || first > to) return;
  if (first <= from && to <= last) {
    if (bar.low < found.low) found.low = bar.low;
    if (bar.high > found.high) found.high = bar.high;
    return;
  }
  if (to - from <= BLOCK_INTERVALS) {
    const trades = block(bar, key, walk);
    for (let index = Math.max(first, from); index <= Math.min(last, to); index += 1) {
      const price = trades[index - from] ?? bar.close;
      if (price < found.low) found.low = price;
      if (price > found.high) found.high = price;
    }
    return;
  }
  const middle = (from + to) >> 1;
  const halves = half(bar, key, middle);
  collect(halves.first, { from, to: middle, first, last, key }, found);
  collect(halves.second, { from: middle, to, first, last, key }, found);
}

/** Splits a bar at its middle trade, whose number makes the split's randomness: each trade is the middle of one bar only. */
function half(bar: UnitBar, key: number, middle: number): { readonly first: UnitBar; readonly second: UnitBar } {
  const own = mix(key, middle);
  const { open, high, low, close } = bar;
  const noise = fraction(own, 1) + fraction(own, 2) - 1;
  const wanted = Math.round((open + close) / 2 + noise * 0.45 * (high - low));
  const price = Math.min(high, Math.max(low, wanted));
  const highFirst = open === high || (close !== high && fraction(own, 3) < 0.5);
  const lowFirst = open === low || (close !== low && fraction(own, 4) < 0.5);
  const first = { open, close: price, high: highFirst ? high : Math.max(open, price), low: lowFirst ? low : Math.min(open, price) };
  const second = {
    open: price,
    close,
    high: highFirst ? Math.max(price, close) : high,
    low: lowFirst ? Math.min(price, close) : low,
  };
  return { first: widened(first, bar, mix(own, 5)), second: widened(second, bar, mix(own, 6)) };
}

/** Gives a half that came out narrow a range nearer to that of a random walk of half the length, within the whole bar's. */
function widened(part: UnitBar, whole: UnitBar, key: number): UnitBar {
  const wanted = (LEAST_SHARE + SHARE_SPREAD * fraction(key, 1)) * (whole.high - whole.low);
  const missing = Math.round(wanted - (part.high - part.low));
  if (missing <= 0) return part;
  const high = Math.min(whole.high, part.high + Math.round(missing * fraction(key, 2)));
  const low = Math.max(whole.low, part.low - (missing - (high - part.high)));
  return { open: part.open, close: part.close, high, low };
}

/** The single trades of a short bar. Needs two trades between the ends when both high and low lie there. */
function block(bar: UnitBar, key: number, walk: { readonly from: number; readonly to: number }): readonly number[] {
  const { open, high, low, close } = bar;
  const count = walk.to - walk.from;
  const own = mix(key, ~walk.from);
  const trades = [open];
  for (let index = 1; index < count; index += 1) {
    const line = open + ((close - open) * index) / count;
    const noise = (fraction(own, index) - 0.5) * 0.6 * (high - low);
    trades.push(Math.min(high, Math.max(low, Math.round(line + noise))));
  }
  if (count > 0) trades.push(close);
  if (count < 2) return trades;
  const place = Math.floor(fraction(own, 101) * (count - 1));
  if (high > Math.max(open, close)) trades[1 + place] = high;
  if (low < Math.min(open, close)) trades[1 + ((place + 1) % (count - 1))] = low;
  return trades;
}
