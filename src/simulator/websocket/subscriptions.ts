import type { UserSession } from "../session/user-session.ts";
import type { Simulation } from "../simulation.ts";
import type { Frame, TopicMessage } from "./frame.ts";
import type { Feed, Topic } from "./topic.ts";
import { TOPICS } from "./topics/topics.ts";

/** Subscriptions of one connection: the market data lines of a user and a few more. */
const MAX_SUBSCRIPTIONS = 128;

/** What the subscriptions of a connection work with. */
export interface SubscriptionsOptions {
  readonly session: UserSession;
  readonly simulation: Simulation;
  readonly nextSerial: () => number;
  readonly send: (frame: Frame) => void;
}

interface Open {
  readonly topic: Topic;
  readonly feed: Feed;
}

/** What one connection is subscribed to. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Subscribes or ends a subscription, and answers where IBKR does. */
  take(message: TopicMessage, now: number): void {
    const { send } = this.#options;
    const ending = TOPICS.find((topic) => topic.ends === message.topic);
    if (ending !== undefined) {
      this.#end(ending, message);
      const acknowledged = ending.acknowledge(message);
      if (acknowledged !== undefined) send(acknowledged);
      return;
    }
    const topic = TOPICS.find(({ name }) => name === message.topic);
    const refusal = topic === undefined ? `Topic unknown ${message.topic}` : this.#subscribe(topic, message, now);
    if (refusal !== undefined) send({ error: refusal, code: 1 });
  }

  /** Everything that is due. A subscription that has outlived its time ends without a word, as at IBKR. */
  poll(now: number): readonly Frame[] {
    const frames: Frame[] = [];
    for (const [key, { feed }] of this.#open) {
      if (feed.endsAt !== undefined && now >= feed.endsAt) this.#close(key);
      else frames.push(...feed.poll(now));
    }
    return frames;
  }

  clear(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  clearTier(tier: Topic["tier"]): void {
    for (const [key, { topic }] of this.#open) if (topic.tier === tier) this.#close(key);
  }

  #subscribe(topic: Topic, message: TopicMessage, now: number): string | undefined {
    const { session, simulation, nextSerial } = this.#options;
    if (topic.tier === "brokerage" && session.standing(now) !== "established") return "Bad Request: no bridge";
    const feed = topic.open(message, { session, simulation, serial: nextSerial() }, now);
    if (typeof feed === "string") return feed;
    const key = `${topic.name} ${feed.key}`;
    const same = [...this.#open.values()].filter((open) => open.topic === topic).length;
    if (!this.#open.has(key)) {
      if (topic.most !== undefined && same >= topic.most.feeds) return topic.most.refusal;
      if (this.#open.size >= MAX_SUBSCRIPTIONS) return "Too many subscriptions";
    }
    this.#close(key);
    this.#open.set(key, { topic, feed });
    return undefined;
  }

  #end(topic: Topic, message: TopicMessage): void {
    for (const [key, open] of this.#open) if (open.topic === topic && topic.matches(message, open.feed.key)) this.#close(key);
  }

  #close(key: string): void {
    const open = this.#open.get(key);
    this.#open.delete(key);
    open?.feed.close?.();
  }
}
