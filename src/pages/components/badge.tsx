import type { PropsWithChildren } from "hono/jsx";

import { commonTexts } from "../texts/common.ts";

/** How a badge is coloured; its sign and text say the same. */
export type BadgeTone = "neutral" | "simulated" | "paper" | "live" | "good" | "warn" | "bad" | "working" | "paused";

/** Each tone has a sign of its own, so that colour is never the only difference. */
const SIGNS: Readonly<Record<BadgeTone, string>> = {
  neutral: "○",
  simulated: "◇",
  paper: "□",
  live: "◆",
  good: "✓",
  warn: "▲",
  bad: "✕",
  working: "◌",
  paused: "‖",
};

/** A small label with a sign. */
export function Badge({ tone, title, children }: PropsWithChildren<{ readonly tone: BadgeTone; readonly title?: string }>) {
  return (
    <span class={`badge ${tone}`} title={title}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

/** Whether a connection's money is invented or real. */
export function ModeBadge({ mode }: { readonly mode: "simulated" | "paper" | "live" }) {
  return (
    <Badge tone={mode} title={commonTexts.modeMeaning[mode]}>
      {commonTexts.mode[mode]}
    </Badge>
  );
}

/** Whether a connection works, as far as is known. */
export function HealthBadge({ health, title }: { readonly health: "ready" | "failing" | "unknown"; readonly title?: string }) {
  const tone = ({ ready: "good", failing: "bad", unknown: "neutral" } as const)[health];
  return title === undefined ? (
    <Badge tone={tone}>{commonTexts.health[health]}</Badge>
  ) : (
    <Badge tone={tone} title={title}>
      {commonTexts.health[health]}
    </Badge>
  );
}
