import { z } from "zod";

import type { Mode } from "../broker/account.ts";
import type { Upstream } from "../upstreams/upstream.ts";

/** One thing that a person enters for a connection. */
export interface ConnectionField {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly isSecret: boolean;
  readonly isRequired: boolean;
  readonly isMultiline: boolean;
  /** The only values it takes. */
  readonly choices: readonly string[] | undefined;
}

/** What was entered, as it is stored. */
export interface ConnectionEntry {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A connection that people can add: its kind, what they enter for it, and how that is read. */
export interface ConnectionOffer {
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  readonly mode: Mode;
  readonly fields: readonly ConnectionField[];
  /** Checks texts by field name; answers what to store, or the names of the fields that are missing or wrong. */
  read(values: Readonly<Record<string, string>>): { readonly entry: ConnectionEntry } | { readonly wrong: readonly FieldFault[] };
}

export type FieldFault = { readonly field: string; readonly fault: "missing" | "wrong" };

/** Longest value of a field; the longest true one is a private key as PEM. */
export const MAX_FIELD_LENGTH = 8_000;

/** Parts of the JSON schema of settings that a form is made from. */
const settingsShape = z.object({
  properties: z.record(z.string(), z.looseObject({ type: z.string().optional(), enum: z.array(z.string()).optional() })).default({}),
  required: z.array(z.string()).default([]),
});

/** Offers a kind of connection: fields follow from its settings' schema and its secrets, less what the gateway has `known` anyway. */
export function createConnectionOffer(upstream: Upstream, known: Partial<ConnectionEntry> = {}): ConnectionOffer {
  const shape = settingsShape.parse(z.toJSONSchema(upstream.settings, { io: "input", unrepresentable: "any" }));
  const settings = Object.entries(shape.properties).filter(([name]) => known.settings?.[name] === undefined);
  const secretNames = upstream.secretFields.filter((name) => known.secrets?.[name] === undefined);
  const field = (name: string, rest: Pick<ConnectionField, "isSecret" | "isRequired" | "choices">): ConnectionField => {
    const shown = upstream.form.fields[name];
    return { name, label: shown?.label ?? name, help: shown?.help ?? "", isMultiline: shown?.multiline ?? false, ...rest };
  };
  const settingFields = settings.map(([name, property]) =>
    field(name, { isSecret: false, isRequired: shape.required.includes(name), choices: property.enum }),
  );
  const secretFields = secretNames.map((name) => field(name, { isSecret: true, isRequired: true, choices: undefined }));
  const fields = [...settingFields, ...secretFields];
  return {
    kind: upstream.kind,
    title: upstream.title,
    summary: upstream.form.summary,
    mode: upstream.mode,
    fields,
    read: (values) => {
      const text = (name: string): string => (values[name] ?? "").replaceAll("\r\n", "\n").trim();
      const missing = fields.filter(({ name, isRequired }) => isRequired && text(name) === "").map(({ name }) => name);
      const tooLong = fields.filter(({ name }) => text(name).length > MAX_FIELD_LENGTH).map(({ name }) => name);
      const given = Object.fromEntries(
        settings.flatMap(([name, { type }]) => (text(name) === "" ? [] : [[name, typed(text(name), type)] as const])),
      );
      const parsed = upstream.settings.safeParse({ ...known.settings, ...given });
      const wrong = parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0] ?? fields[0]?.name ?? ""));
      const faults = new Map<string, FieldFault["fault"]>([
        ...[...wrong, ...tooLong].map((name) => [name, "wrong"] as const),
        ...missing.map((name) => [name, "missing"] as const),
      ]);
      if (faults.size > 0 || !parsed.success) return { wrong: Array.from(faults, ([name, fault]) => ({ field: name, fault })) };
      const secrets = Object.fromEntries(secretNames.map((name) => [name, text(name)]));
      // Settings are an object: their schema has properties.
      return { entry: { settings: parsed.data as Record<string, unknown>, secrets: { ...known.secrets, ...secrets } } };
    },
  };
}

/** Forms send text; a schema may want a number or yes and no. */
function typed(text: string, type: string | undefined): unknown {
  if (type === "number" || type === "integer") return Number(text);
  return type === "boolean" ? text === "true" : text;
}
