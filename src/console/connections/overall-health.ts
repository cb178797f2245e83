import type { HealthFault } from "../../broker/health.ts";
import type { ConnectionHealth } from "../../connections/connections.ts";
import type { BadgeTone } from "../../pages/components/badge.tsx";
import { connectionHealthTexts as texts } from "../../pages/texts/connection-health.ts";

/** A connection's state in one word. */
export type OverallState = keyof typeof texts.states;

/** A connection's state as people are told of it. */
export interface OverallHealth {
  readonly state: OverallState;
  readonly tone: BadgeTone;
  readonly word: string;
  readonly sentence: string;
  /** What went wrong and is still so, if anything. */
  readonly fault: HealthFault | undefined;
  /** True when a person should look at the layers. */
  readonly needsAttention: boolean;
}

const TONES: Readonly<Record<OverallState, BadgeTone>> = {
  ready: "good",
  idle: "neutral",
  unchecked: "neutral",
  opening: "working",
  waiting: "warn",
  competing: "warn",
  logged_out: "bad",
  failing: "bad",
  paused: "paused",
  frozen: "bad",
  not_served: "neutral",
};
const CALM: ReadonlySet<OverallState> = new Set(["ready", "idle", "unchecked", "opening", "paused", "not_served"]);

/** Says how a connection is, from what is known without asking the broker. */
export function overallHealth(health: ConnectionHealth, servesDemo: boolean): OverallHealth {
  const state = stateOf(health, servesDemo);
  const fault = faultOf(health, state);
  const isPartly = state === "ready" && health.link.layers.some(({ state: layer }) => layer === "down" || layer === "waiting");
  return {
    state,
    tone: isPartly ? "warn" : TONES[state],
    word: texts.states[state],
    sentence: isPartly ? texts.sentences.partly : texts.sentences[state],
    fault,
    needsAttention: isPartly || !CALM.has(state),
  };
}

function stateOf({ isDemo, frozenAt, pausedAt, lastFault, verifiedAt, link }: ConnectionHealth, servesDemo: boolean): OverallState {
  if (isDemo && !servesDemo) return "not_served";
  // Frozen says more than paused: resuming would not help.
  if (frozenAt !== undefined || link.state === "frozen") return "frozen";
  if (pausedAt !== undefined) return "paused";
  switch (link.state) {
    case "established":
      return "ready";
    case "opening":
      return "opening";
    case "backing_off":
      return "waiting";
    case "competing":
      return "competing";
    case "logged_out":
      return "logged_out";
    case "closed":
      if (lastFault !== undefined) return "failing";
      return verifiedAt === undefined ? "unchecked" : "idle";
  }
}

/** The deepest layer that is down says most; a closed link has what the last opening failed for. */
function faultOf({ link, lastFault }: ConnectionHealth, state: OverallState): HealthFault | undefined {
  const down = link.layers.find((layer) => (layer.state === "down" || layer.state === "waiting") && layer.lastError !== undefined);
  if (down?.lastError !== undefined) return down.lastError;
  return state === "ready" || state === "idle" || state === "unchecked" || state === "opening" ? undefined : lastFault;
}
