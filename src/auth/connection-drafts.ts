import { z } from "zod";

import type { ConnectionOffer } from "../connections/connection-offers.ts";
import { connectionsToSameLogin } from "../connections/same-login.ts";
import { GatewayError } from "../lib/errors.ts";
import { randomId } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import {
  type ConnectionDraftKey,
  type ConnectionDraftRow,
  deleteConnectionDraft,
  findConnectionDraft,
  insertConnectionDraft,
  listConnectionDrafts,
  refuseTooManyDrafts,
  updateConnectionDraft,
} from "../storage/connection-drafts.ts";
import { findConnection } from "../storage/connections.ts";
import { createConnection, type CreateConnectionDeps, type CreatedConnection, connectionIdOfForm } from "./create-connection.ts";
import { rotateConnection, type RotateConnectionDeps } from "./rotate-connection.ts";

export interface ConnectionDraftDeps extends CreateConnectionDeps, RotateConnectionDeps {
  /** What people can add on this gateway. */
  readonly offers: readonly ConnectionOffer[];
}

type Mode = ConnectionOffer["modes"][number];
type FieldFaults = Extract<ReturnType<ConnectionOffer["read"]>, { wrong: unknown }>["wrong"];

/** A connection that is being set up, or set up anew. It holds secrets: keep it out of pages but for the public files. */
export interface ConnectionDraft {
  readonly draftId: string;
  readonly offer: ConnectionOffer;
  readonly mode: Mode;
  readonly label: string;
  /** What is entered and made so far, by field name. */
  readonly values: Readonly<Record<string, string>>;
  /** The connection that gets these settings and secrets in place of its own; undefined for a new one. */
  readonly rotates: string | undefined;
  /** Where the person came from: a consent that waits for a connection. Undefined once it can't be waiting any more. */
  readonly back: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What came of finishing a draft. */
export type FinishedDraft =
  | (CreatedConnection & {
      readonly kind: "created";
      /** Labels of the user's other connections with the same login at IBKR: they compete for one session. */
      readonly duplicateOf: readonly string[];
    })
  | { readonly kind: "rotated"; readonly connectionId: string; readonly duplicateOf: readonly string[] }
  /** Fields that are missing or wrong; the draft stays. */
  | { readonly kind: "wrong"; readonly wrong: FieldFaults }
  /** There is no such draft (any more). */
  | { readonly kind: "gone" };

/** Longer than any wait for IBKR's weekend, short enough for forgotten keys. */
const KEPT_MS = 14 * 86_400_000;
const contentSchema = z.object({
  offer_id: z.string(),
  values: z.record(z.string(), z.string()),
  rotates: z.string().optional(),
  back: z.string().optional(),
});
/** The only pages that a set-up leads back to. */
const CONSENT = /^\/consent\/[\w-]{1,100}$/;
/** An authorization that nobody decides is over by then. */
const BACK_KEPT_MS = 3_600_000;

/** What a set-up begins with. */
export interface NewDraft {
  readonly userId: string;
  readonly offer: ConnectionOffer;
  readonly mode: Mode;
  readonly label: string;
  /** The connection of this user that is to be set up anew; the mode is its own. */
  readonly rotates?: string;
  /** Random text of the form that asks for it: the same form sent again goes on with the same set-up. */
  readonly formId?: string;
  /** Where the person came from; kept when it is a consent of ours. */
  readonly back?: string | undefined;
}

/**
 * Begins a set-up and makes the keys that the person need not make: for one set-up of a user at a time, since that is work. Goes on
 * with the one that the same form began, or that is under way for the connection to set up anew. Throws `invalid_arguments` when the
 * mode isn't one of the offer's, when there is no such connection, or when the user has too many set-ups under way.
 */
export async function createDraft(deps: ConnectionDraftDeps, wanted: NewDraft): Promise<ConnectionDraft> {
  const { userId, offer, mode, rotates } = wanted;
  if (!offer.modes.includes(mode)) throw refuse(`A connection of this kind is never ${mode}.`, `Choose ${offer.modes.join(" or ")}.`);
  if (rotates !== undefined) await checkRotated(deps, wanted, rotates);
  return await deps.lock.run(JSON.stringify(["drafts", userId]), async () => {
    const begun = await findBegun(deps, wanted);
    if (begun !== undefined) return begun;
    try {
      return await makeDraft(deps, wanted);
    } catch (error) {
      if (error instanceof RangeError) throw refuse(`${error.message}.`, "Finish or discard one of them.");
      throw error;
    }
  });
}

async function findBegun(
  deps: ConnectionDraftDeps,
  { userId, offer, mode, rotates, formId }: NewDraft,
): Promise<ConnectionDraft | undefined> {
  if (rotates !== undefined) return (await listDrafts(deps, userId)).find((draft) => draft.rotates === rotates);
  const draft = formId === undefined ? undefined : await loadDraft(deps, { draftId: draftIdOfForm(userId, formId), userId });
  return draft?.offer.id === offer.id && draft.mode === mode ? draft : undefined;
}

async function makeDraft(deps: ConnectionDraftDeps, wanted: NewDraft): Promise<ConnectionDraft> {
  const { userId, offer, mode, label, rotates } = wanted;
  const now = deps.clock.now();
  await refuseTooManyDrafts(deps.storage, userId, now - KEPT_MS);
  const values = await offer.prepare(deps.random);
  const draftId = await freeDraftId(deps, wanted);
  const back = wanted.back !== undefined && CONSENT.test(wanted.back) ? wanted.back : undefined;
  const draft: ConnectionDraft = { draftId, offer, mode, label, values, rotates, back, createdAt: now, updatedAt: now };
  const row = { id: draftId, user_id: userId, kind: offer.kind, mode, label, created_at: now, updated_at: now };
  await insertConnectionDraft(deps.storage, { ...row, sealed_content: sealed(deps, userId, draft) }, now - KEPT_MS);
  return draft;
}

/** The form's own id, unless that stands for another set-up or for the connection that one became: then it is a new one. */
async function freeDraftId(deps: ConnectionDraftDeps, { userId, formId }: NewDraft): Promise<string> {
  const fresh = randomId(deps.random, "drf_");
  if (formId === undefined) return fresh;
  const draftId = draftIdOfForm(userId, formId);
  const connectionId = connectionIdOfForm({ userId, formId: draftId });
  const isTaken =
    (await findConnectionDraft(deps.storage, { draftId, userId }, 0)) ?? (await findConnection(deps.storage, { connectionId, userId }));
  return isTaken === undefined ? draftId : fresh;
}

function draftIdOfForm(userId: string, formId: string): string {
  return `drf_${sha256Hex(JSON.stringify([userId, formId])).slice(0, 24)}`;
}

/** Finds a draft of this user; undefined when there is none, nobody touched it for 14 days, or its kind isn't offered any more. */
export async function loadDraft(deps: ConnectionDraftDeps, key: ConnectionDraftKey): Promise<ConnectionDraft | undefined> {
  const row = await findConnectionDraft(deps.storage, key, deps.clock.now() - KEPT_MS);
  return row === undefined ? undefined : opened(deps, row);
}

/** Lists a user's set-ups under way, latest first. */
export async function listDrafts(deps: ConnectionDraftDeps, userId: string): Promise<readonly ConnectionDraft[]> {
  const rows = await listConnectionDrafts(deps.storage, userId, deps.clock.now() - KEPT_MS);
  return rows.flatMap((row) => opened(deps, row) ?? []);
}

/** A little more than a field may have, so that what is too long is still seen to be. */
const MAX_KEPT_LENGTH = 10_000;

/** What a person entered on one page; what is left out stays as it is. */
export interface DraftChanges {
  readonly label?: string;
  readonly mode?: Mode;
  /** By field name; other names are left out. An empty secret leaves the one that is there: pages never send secrets back. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Keeps what was entered, right or wrong: ask `offer.check(draft.values)` what to say about it. Undefined when there is no such draft. */
export async function saveDraft(
  deps: ConnectionDraftDeps,
  key: ConnectionDraftKey,
  changes: DraftChanges,
): Promise<ConnectionDraft | undefined> {
  return await deps.lock.run(key.draftId, async () => {
    const draft = await loadDraft(deps, key);
    if (draft === undefined) return undefined;
    const { offer } = draft;
    const mode = changes.mode !== undefined && draft.rotates === undefined ? changes.mode : draft.mode;
    if (!offer.modes.includes(mode)) throw refuse(`A connection of this kind is never ${mode}.`, `Choose ${offer.modes.join(" or ")}.`);
    const entered = offer.fields.flatMap(({ name, isSecret }) => {
      const text = changes.values?.[name];
      return text === undefined || (isSecret && text.trim() === "")
        ? []
        : [[name, offer.normalize(name, text.slice(0, MAX_KEPT_LENGTH))] as const];
    });
    const values = { ...draft.values, ...Object.fromEntries(entered) };
    const next = { ...draft, mode, label: changes.label ?? draft.label, values, updatedAt: deps.clock.now() };
    const row = { ...key, mode, label: next.label, updated_at: next.updatedAt, sealed_content: sealed(deps, key.userId, next) };
    return (await updateConnectionDraft(deps.storage, row)) ? next : undefined;
  });
}

/** Discards a draft with its keys. Answers whether there was one. */
export async function discardDraft(deps: ConnectionDraftDeps, key: ConnectionDraftKey): Promise<boolean> {
  return await deps.lock.run(key.draftId, () => deleteConnectionDraft(deps.storage, key));
}

/**
 * Makes the draft a connection with a default API key, or gives its settings and secrets to the connection that it rotates.
 * The same draft finished again answers the same connection, with another default key in place of the one that may never have
 * been seen. Throws `invalid_arguments` when the user has too many connections or keys.
 */
export async function finishDraft(deps: ConnectionDraftDeps, key: ConnectionDraftKey): Promise<FinishedDraft> {
  return await deps.lock.run(key.draftId, async () => {
    const { userId, draftId } = key;
    const draft = await loadDraft(deps, key);
    if (draft === undefined) return await finishedBefore(deps, key);
    const { offer, mode, label, values, rotates } = draft;
    const read = offer.read(values);
    if ("wrong" in read) return { kind: "wrong", wrong: read.wrong };
    const { entry } = read;
    const connectionId = rotates ?? connectionIdOfForm({ userId, formId: draftId });
    const duplicateOf = await connectionsToSameLogin(deps.storage, { userId, kind: offer.kind, settings: entry.settings, connectionId });
    if (rotates === undefined) {
      const created = await createConnection(deps, { userId, offer, mode, label, entry, formId: draftId });
      await deleteConnectionDraft(deps.storage, key);
      return { kind: "created", ...created, duplicateOf };
    }
    if (!(await rotateConnection(deps, { connectionId, userId, offer, entry }))) return { kind: "gone" };
    await deleteConnectionDraft(deps.storage, key);
    return { kind: "rotated", connectionId, duplicateOf };
  });
}

/** The connection that a draft became: the form was sent twice. */
async function finishedBefore(deps: ConnectionDraftDeps, { draftId, userId }: ConnectionDraftKey): Promise<FinishedDraft> {
  const connectionId = connectionIdOfForm({ userId, formId: draftId });
  const row = await findConnection(deps.storage, { connectionId, userId });
  if (row === undefined) return { kind: "gone" };
  const settings: unknown = JSON.parse(row.settings);
  const duplicateOf = await connectionsToSameLogin(deps.storage, { userId, kind: row.kind, settings, connectionId });
  const created = await createConnection(deps, { userId, formId: draftId });
  return { kind: "created", ...created, duplicateOf };
}

async function checkRotated(deps: ConnectionDraftDeps, { userId, offer, mode }: NewDraft, connectionId: string): Promise<void> {
  const row = await findConnection(deps.storage, { connectionId, userId });
  if (row === undefined || row.kind !== offer.kind || row.is_demo === 1)
    throw refuse("There is no such connection to set up anew.", "Choose one of your connections.");
  if (row.mode !== mode) throw refuse("A connection's mode never changes.", "Add another connection for the other mode.");
}

function sealed({ sealer }: ConnectionDraftDeps, userId: string, { draftId, offer, values, rotates, back }: ConnectionDraft): string {
  const content: z.output<typeof contentSchema> = {
    offer_id: offer.id,
    values,
    ...(rotates === undefined ? {} : { rotates }),
    ...(back === undefined ? {} : { back }),
  };
  return sealer.seal(JSON.stringify(content), place(draftId, userId));
}

function opened({ sealer, offers, clock }: ConnectionDraftDeps, row: ConnectionDraftRow): ConnectionDraft | undefined {
  const content = contentSchema.parse(JSON.parse(sealer.unseal(row.sealed_content, place(row.id, row.user_id))));
  const offer = offers.find(({ id }) => id === content.offer_id);
  const mode = offer?.modes.find((candidate) => candidate === row.mode);
  if (offer === undefined || mode === undefined) return undefined;
  const { values, rotates } = content;
  const back = clock.now() - row.created_at < BACK_KEPT_MS ? content.back : undefined;
  return { draftId: row.id, offer, mode, label: row.label, values, rotates, back, createdAt: row.created_at, updatedAt: row.updated_at };
}

function place(rowId: string, userId: string) {
  return { table: "connection_drafts", column: "sealed_content", rowId, userId };
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}
