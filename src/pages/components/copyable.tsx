import { commonTexts } from "../texts/common.ts";

export interface CopyableProps {
  readonly text: string;
  /** Names it for screen readers. */
  readonly label: string;
  /** Keeps line breaks, as a command needs. */
  readonly block?: boolean;
  readonly id: string;
}

/** Text to take along. The button shows only where script runs; without it the text is selected as a whole by one click. */
export function Copyable({ text, label, block = false, id }: CopyableProps) {
  return (
    <div class="copyable">
      <div class={block ? "copyable-text block" : "copyable-text"} id={id} tabindex={0} role="group" aria-label={label}>
        <code>{text}</code>
      </div>
      <button
        type="button"
        class="button secondary small"
        data-copy={id}
        data-done={commonTexts.copied}
        data-failed={commonTexts.copyFailed}
        hidden
      >
        <span data-copy-text="">{commonTexts.copy}</span>
        <span class="visually-hidden"> {label}</span>
      </button>
      <span class="visually-hidden" role="status" data-copy-status={id} />
    </div>
  );
}
