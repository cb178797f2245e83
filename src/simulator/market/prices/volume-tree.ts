import { fraction, mix } from "./hash.ts";

/** A volume spread over evenly spaced trades: `atLeast` for each, and `extra` by chance with more at both ends of the stretch. */
export interface VolumeRoot {
  readonly key: number;
  readonly intervals: number;
  readonly atLeast: number;
  readonly extra: number;
}

/** How much busier the ends of a session are than its middle. */
const END_WEIGHT = 0.5;

/** Volume of the trades 0 to `index`, whole units; the last trade's answer is the whole volume. −1 gives 0. */
export function volumeThrough(root: VolumeRoot, index: number): number {
  if (index < 0) return 0;
  const least = (index + 1) * root.atLeast;
  const { intervals } = root;
  if (index >= intervals) return (intervals + 1) * root.atLeast + root.extra;
  // The tree's interval k lies between trades k and k + 1 and belongs to trade k; the last trade has only its least volume.
  const wanted = index + 1;
  let from = 0;
  let to = intervals;
  let volume = root.extra;
  let before = 0;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    const share =
      (weightBefore(middle / intervals) - weightBefore(from / intervals)) / (weightBefore(to / intervals) - weightBefore(from / intervals));
    const noise = 0.7 + 0.6 * fraction(mix(root.key, middle), 7);
    const first = Math.min(volume, Math.max(0, Math.round(volume * share * noise)));
    if (wanted <= middle) {
      volume = first;
      to = middle;
    } else {
      before += first;
      volume -= first;
      from = middle;
    }
  }
  return least + before + volume;
}

function weightBefore(x: number): number {
  return x + END_WEIGHT * (4 * (x - 0.5) ** 3 + 0.5 - x);
}
