import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import type { HostPolicy } from "../upstreams/host-policy.ts";
import type { EntryFault, Upstream } from "../upstreams/upstream.ts";
import type { ConnectionOffer } from "./connection-offers.ts";

/** One thing that a person enters for a connection. */
export interface ConnectionField {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly isSecret: boolean;
  readonly isRequired: boolean;
  readonly isMultiline: boolean;
  /** True for what is made by `prepare`: entered only by those who have it from before. */
  readonly isMade: boolean;
  /** The only values it takes. */
  readonly choices: readonly string[] | undefined;
  /** Words for these. */
  readonly choiceLabels: Readonly<Record<string, string>>;
}

/** What was entered, as it is stored. */
export interface ConnectionEntry {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A field that can't be used. Where the kind knows why, it says so. */
export interface FieldFault {
  readonly field: string;
  readonly fault: "missing" | "wrong";
  readonly message?: string;
  readonly whatToDo?: string;
}

/** Longest value of a field; the longest true one is a private key as PEM. */
export const MAX_FIELD_LENGTH = 8_000;

export interface OfferOptions {
  readonly hostPolicy: HostPolicy;
  /** What the gateway knows anyway: not asked, and no other value is taken for it. */
  readonly known?: ConnectionEntry;
  /** Where it isn't the kind's own. */
  readonly id?: string;
  readonly title?: string;
}

type Values = Readonly<Record<string, string>>;

/** Parts of the JSON schema of settings that a form is made from. */
const settingsShape = z.object({
  properties: z.record(z.string(), z.looseObject({ type: z.string().optional(), enum: z.array(z.string()).optional() })).default({}),
  required: z.array(z.string()).default([]),
});

/** Offers a kind of connection: fields follow from its settings' schema and its secrets, less what is known. */
export function createConnectionOffer(upstream: Upstream, options: OfferOptions): ConnectionOffer {
  const { known } = options;
  const { certificate } = upstream;
  const fields = fieldsOf(upstream, known);
  const names = new Set(fields.map(({ name }) => name));
  const normalize = (field: string, text: string): string => {
    const plain = text.replaceAll("\r\n", "\n").trim();
    return plain === "" ? "" : (upstream.normalize?.(field, plain) ?? plain);
  };
  const normalized = (values: Values): Values =>
    Object.fromEntries(Object.entries(values).flatMap(([name, text]) => (names.has(name) ? [[name, normalize(name, text)]] : [])));
  const check = (values: Values): readonly EntryFault[] => {
    const entered = Object.fromEntries(Object.entries(normalized(values)).filter(([, text]) => text !== ""));
    const tooLong = Object.keys(entered).filter((name) => (entered[name] ?? "").length > MAX_FIELD_LENGTH);
    return [
      ...tooLong.map((field) => ({ field, message: "This is too long.", whatToDo: `At most ${MAX_FIELD_LENGTH} characters fit here.` })),
      ...addressFaults(upstream, entered, options),
      ...(tooLong.length > 0 ? [] : (upstream.check?.(entered) ?? [])),
    ];
  };
  return {
    id: options.id ?? upstream.kind,
    kind: upstream.kind,
    title: options.title ?? upstream.title,
    summary: upstream.form.summary,
    modes: upstream.modes,
    fields,
    steps: upstream.steps
      .map((step) => ({ ...step, fields: step.fields.filter((name) => names.has(name)) }))
      .filter((step) => step.fields.length > 0 || (step.offersFiles === true && fields.length > 0)),
    prepare: async (random) => filled((await upstream.prepare?.(random)) ?? {}),
    activeFrom: (values, now) => upstream.activeFrom?.(normalized(values), now),
    certificate: certificate && {
      field: certificate.field,
      read: (values, signal) => certificate.read(normalized(values), options.hostPolicy, signal),
    },
    publicFiles: (values) => upstream.publicFiles?.(normalized(values)) ?? [],
    normalize,
    check,
    read: (values) => readEntry(upstream, { fields, known, values: normalized(values), faults: check(values) }),
  };
}

function fieldsOf(upstream: Upstream, known: ConnectionEntry | undefined): readonly ConnectionField[] {
  const shape = settingsShape.parse(z.toJSONSchema(upstream.settings, { io: "input", unrepresentable: "any" }));
  const needed = known === undefined ? undefined : upstream.neededSecrets?.(known.settings);
  const field = (name: string, rest: Pick<ConnectionField, "isSecret" | "isRequired" | "choices">): ConnectionField => {
    const shown = upstream.form.fields[name];
    return {
      name,
      label: shown?.label ?? name,
      help: shown?.help ?? "",
      isMultiline: shown?.multiline ?? false,
      isMade: shown?.isMade ?? false,
      choiceLabels: shown?.choices ?? {},
      ...rest,
    };
  };
  const settings = Object.entries(shape.properties).filter(([name]) => known === undefined || known.settings[name] === undefined);
  return [
    ...settings.map(([name, { enum: choices }]) => field(name, { isSecret: false, isRequired: shape.required.includes(name), choices })),
    ...upstream.secretFields
      .filter((name) => needed?.includes(name) ?? true)
      .map((name) => field(name, { isSecret: true, isRequired: true, choices: undefined })),
  ];
}

interface Entered {
  readonly fields: readonly ConnectionField[];
  readonly known: ConnectionEntry | undefined;
  readonly values: Values;
  readonly faults: readonly EntryFault[];
}

function readEntry(upstream: Upstream, { fields, known, values, faults }: Entered): ReturnType<ConnectionOffer["read"]> {
  const text = (name: string): string => values[name] ?? "";
  const types = settingsShape.parse(z.toJSONSchema(upstream.settings, { io: "input", unrepresentable: "any" })).properties;
  const given = fields
    .filter(({ name, isSecret }) => !isSecret && text(name) !== "")
    .map(({ name }) => [name, typed(text(name), types[name]?.type)] as const);
  const parsed = upstream.settings.safeParse({ ...Object.fromEntries(given), ...known?.settings });
  const unfit = parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0] ?? fields[0]?.name ?? ""));
  const wrong = new Map<string, FieldFault>([
    ...unfit.map((field) => [field, { field, fault: "wrong" }] as const),
    ...faults.map((fault) => [fault.field, { ...fault, fault: "wrong" }] as const),
    ...fields
      .filter(({ name, isRequired }) => isRequired && text(name) === "")
      .map(({ name }) => [name, { field: name, fault: "missing" }] as const),
  ]);
  if (wrong.size > 0 || !parsed.success) return { wrong: [...wrong.values()] };
  const secrets = fields.filter(({ name, isSecret }) => isSecret && text(name) !== "").map(({ name }) => [name, text(name)]);
  // Settings are an object: their schema has properties.
  return { entry: { settings: parsed.data as Record<string, unknown>, secrets: { ...known?.secrets, ...Object.fromEntries(secrets) } } };
}

function addressFaults(upstream: Upstream, values: Values, { hostPolicy }: OfferOptions): readonly EntryFault[] {
  return (upstream.addressFields ?? []).flatMap((field) => {
    const address = values[field];
    if (address === undefined) return [];
    try {
      hostPolicy.checkUrl(address);
      return [];
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return [{ field, message: error.message, whatToDo: error.whatToDo }];
    }
  });
}

/** Forms send text; a schema may want a number or yes and no. */
function typed(text: string, type: string | undefined): unknown {
  if (type === "number" || type === "integer") return Number(text);
  return type === "boolean" ? text === "true" : text;
}

function filled(values: Partial<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
