import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import type { Frame, TopicMessage } from "./frame.ts";

/** What a subscription works with. */
export interface TopicContext {
  readonly session: Session;
  readonly simulation: Simulation;
  /** A number that no other subscription of the server has. */
  readonly serial: number;
}

/** One open subscription. */
export interface Feed {
  /** A later subscription with the same key takes its place. */
  readonly key: string;
  /** Epoch ms when it ends by itself. */
  readonly endsAt?: number;
  /** The frames that are due; called about every half second. What it answers counts as told. */
  poll(now: number): readonly Frame[];
  /** Frees what the subscription holds. */
  close?(): void;
}

/** One kind of subscription of the socket. */
export interface Topic {
  /** The word that subscribes, and the one that ends the subscription. */
  readonly name: string;
  readonly ends: string;
  /** `brokerage` topics need an established brokerage session. */
  readonly tier: "sso" | "brokerage";
  /** Opens a subscription, or answers why it can't be opened. */
  open(message: TopicMessage, context: TopicContext, now: number): Feed | string;
  /** Most subscriptions of this topic that a connection may hold; unbounded but for the connection's own limit when left out. */
  readonly most?: { readonly feeds: number; readonly refusal: string };
  /** Whether a message that ends subscriptions means the one with this key. */
  matches(message: TopicMessage, key: string): boolean;
  /** What the ending is acknowledged with; undefined where it isn't. */
  acknowledge(message: TopicMessage): Frame | undefined;
}
