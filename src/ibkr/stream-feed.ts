import type { StreamFrame } from "./endpoints/stream.ts";

/** One who subscribes to something on the stream and hears of it. */
export interface StreamFeed {
  /** Open subscriptions. */
  readonly subscriptions: number;
  /** The stream of this brokerage session (counted by the session) is open: subscribe what is in use. */
  opened(generation: number): void;
  /** A frame came, of this kind or another. */
  heard(frame: StreamFrame): void;
  /** The stream is gone: what was heard on it is not current any more. */
  lost(): void;
  /** Called every few seconds while the stream is open. */
  tick(now: number): void;
}
