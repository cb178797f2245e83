import type { ConnectionDraft } from "../../../auth/connection-drafts.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";

/** Why fields of one step can't be used as they are, by field name: in the kind's own words where it has some. */
export function faultsOfStep(draft: ConnectionDraft, index: number): Readonly<Record<string, string>> {
  const names = draft.offer.steps[index]?.fields ?? [];
  return Object.fromEntries(Object.entries(faultsOf(draft)).filter(([name]) => names.includes(name)));
}

/** All faults of what is entered so far, what is missing among them. */
function faultsOf(draft: ConnectionDraft): Readonly<Record<string, string>> {
  const read = draft.offer.read(draft.values);
  if (!("wrong" in read)) return {};
  return Object.fromEntries(
    read.wrong.map(({ field, fault, message, whatToDo }) => {
      const label = draft.offer.fields.find(({ name }) => name === field)?.label ?? field;
      const isMissing = fault === "missing" || (draft.values[field] ?? "") === "";
      const words = message === undefined ? (isMissing ? texts.errors.missing : texts.errors.wrong) : `${message} ${whatToDo ?? ""}`;
      return [field, `${label}: ${words.trim()}`] as const;
    }),
  );
}

/** Index of the first step that has to be looked at again: one with a fault of its own; the last one where all seem right. */
export function firstUnfinishedStep(draft: ConnectionDraft): number {
  const wrong = faultsOf(draft);
  const index = draft.offer.steps.findIndex(({ fields }) => fields.some((name) => wrong[name] !== undefined));
  return index < 0 ? draft.offer.steps.length - 1 : index;
}

/** Index of the step at which to go on: the first one until something was entered, since its files may not be taken yet. */
export function stepToGoOn(draft: ConnectionDraft): number {
  const isFresh = draft.offer.fields.every(({ name, isMade }) => isMade || (draft.values[name] ?? "") === "");
  return isFresh ? 0 : firstUnfinishedStep(draft);
}
