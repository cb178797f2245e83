import type { PropsWithChildren } from "hono/jsx";

import { commonTexts } from "../texts/common.ts";

/** What a notice is about; its sign and a hidden word say the same as its colour. */
export type NoticeTone = "error" | "warning" | "success" | "info";

const SIGNS: Readonly<Record<NoticeTone, string>> = { error: "✕", warning: "▲", success: "✓", info: "i" };

/** A message to the person above what it is about; errors are read out at once, unless it is quiet: a state that lasts, not an answer. */
export function Notice({
  tone,
  title,
  isQuiet = false,
  children,
}: PropsWithChildren<{ readonly tone: NoticeTone; readonly title?: string; readonly isQuiet?: boolean }>) {
  const role = tone === "error" ? "alert" : tone === "success" ? "status" : undefined;
  return (
    <div class={`notice ${tone}`} role={isQuiet ? undefined : role}>
      <span class="notice-sign" aria-hidden="true">
        {SIGNS[tone]}
      </span>
      <div>
        <span class="visually-hidden">{commonTexts.notice[tone]}: </span>
        {title !== undefined && <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}
