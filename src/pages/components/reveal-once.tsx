import type { PropsWithChildren } from "hono/jsx";

import { commonTexts } from "../texts/common.ts";
import { Copyable } from "./copyable.tsx";

/** Shows a secret the one time that it can be shown, with a button to copy it. */
export function RevealOnce({ secret, label, id, children }: PropsWithChildren<{ secret: string; label: string; id: string }>) {
  return (
    <div class="reveal">
      <p class="reveal-title">
        <span aria-hidden="true">▲ </span>
        {label}
      </p>
      <Copyable text={secret} label={label} id={id} />
      <p class="hint">{commonTexts.shownOnce}</p>
      {children}
    </div>
  );
}
