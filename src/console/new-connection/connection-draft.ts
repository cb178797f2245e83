import type { ConnectionEntry } from "../../connections/connection-offer.ts";
import type { ConnectionOffer } from "../../connections/connection-offers.ts";
import { plainText } from "../../lib/plain-text.ts";
import { connectionTexts } from "../../pages/texts/connections.ts";

/** Longest name of a connection: it stands in badges and lists. */
export const MAX_LABEL_LENGTH = 60;
const FORM_ID = /^[0-9a-f]{32}$/;

/** What is entered in the form, right or wrong. */
export interface ConnectionDraft {
  readonly kind: string | undefined;
  readonly label: string;
  /** By the names of the kind's fields. */
  readonly values: Readonly<Record<string, string>>;
  /** Random text that makes the form one form, however often it is sent. */
  readonly formId: string;
}

/** Reads what was entered. */
export function readDraft(fields: URLSearchParams): ConnectionDraft {
  return {
    kind: fields.get("kind") ?? undefined,
    label: fields.get("label") ?? "",
    values: Object.fromEntries(fields),
    formId: fields.get("form_id") ?? "",
  };
}

/** Checks a draft: what to store, or why each wrong field is wrong. */
export function checkDraft(
  draft: ConnectionDraft,
  offer: ConnectionOffer | undefined,
): { readonly label: string; readonly entry: ConnectionEntry } | { readonly errors: Readonly<Record<string, string>> } {
  const texts = connectionTexts.errors;
  const label = plainText(draft.label, MAX_LABEL_LENGTH + 1);
  const errors: Record<string, string> = {};
  if (offer === undefined || !FORM_ID.test(draft.formId)) errors["kind"] = texts.kind;
  if (label === "" || Array.from(label).length > MAX_LABEL_LENGTH) errors["label"] = texts.label;
  const read = offer?.read(draft.values);
  if (read !== undefined && "wrong" in read) {
    for (const { field, fault, message } of read.wrong) {
      const shown = offer?.fields.find(({ name }) => name === field)?.label ?? field;
      errors[field] = `${shown}: ${fault === "missing" ? texts.missing : (message ?? texts.field)}`;
    }
  }
  return read !== undefined && "entry" in read && Object.keys(errors).length === 0 ? { label, entry: read.entry } : { errors };
}
