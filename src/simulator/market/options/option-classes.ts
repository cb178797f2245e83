/** The options on one underlying: strikes at even steps, within which all that can be listed lie. */
export interface OptionClass {
  /** Part of the conid: never reuse or change it, positions hold on to it. */
  readonly code: number;
  readonly underlyingConid: number;
  readonly symbol: string;
  readonly strikeStep: number;
  readonly lowestStrike: number;
  readonly highestStrike: number;
  /** Contracts of the busiest strike in an average day. */
  readonly volume: number;
}

/** Underlyings that have options. */
export const OPTION_CLASSES: readonly OptionClass[] = [
  { code: 0, underlyingConid: 756733, symbol: "SPY", strikeStep: 5, lowestStrike: 350, highestStrike: 1000, volume: 30_000 },
  { code: 1, underlyingConid: 265598, symbol: "AAPL", strikeStep: 5, lowestStrike: 100, highestStrike: 420, volume: 12_000 },
  { code: 2, underlyingConid: 272093, symbol: "MSFT", strikeStep: 10, lowestStrike: 200, highestStrike: 860, volume: 5_000 },
  { code: 3, underlyingConid: 320227571, symbol: "QQQ", strikeStep: 5, lowestStrike: 300, highestStrike: 950, volume: 18_000 },
  { code: 4, underlyingConid: 76792991, symbol: "TSLA", strikeStep: 10, lowestStrike: 100, highestStrike: 900, volume: 15_000 },
  { code: 5, underlyingConid: 4815747, symbol: "NVDA", strikeStep: 5, lowestStrike: 50, highestStrike: 400, volume: 16_000 },
];
