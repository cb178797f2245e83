import { type Adapter, type AdapterPayload, errors } from "oidc-provider";
import { z } from "zod";

import type { Clock } from "../../lib/clock.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { type AppGrantRow, findAppGrant } from "../../storage/app-grants.ts";
import { deleteAccessTokens, findAccessToken, insertAccessToken } from "../../storage/oauth-access-tokens.ts";
import { deleteOauthClient, evictUnusedClients, findOauthClient, putOauthClient } from "../../storage/oauth-clients.ts";
import {
  addOauthRecord,
  consumeOauthRecord,
  deleteGrantRecords,
  deleteOauthRecord,
  findOauthRecord,
  putOauthRecord,
} from "../../storage/oauth-records.ts";
import type { Storage } from "../../storage/storage.ts";
import { isGrantLive } from "./live-grant.ts";
import { recordHash } from "./secret-ids.ts";

export interface AdapterDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly resource: string;
  /** A grant lapses when it lies unused this long. */
  readonly unusedLimitMs: number;
  /** Revokes a grant because the OAuth library says so: its client asked, or a used token came again. */
  readonly revokeGrant: (grantId: string) => Promise<void>;
  /** Makes the address where an authorization goes on. */
  readonly resumeUrl: (interactionId: string) => string;
}

/**
 * Makes the OAuth library's storage. Every id that is a secret (codes, tokens, authorizations under way) is stored as its hash
 * and taken out of the payload; client secrets are hashed; the library's own browser session is never stored.
 */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  const { storage, clock } = deps;
  return (model) => {
    switch (model) {
      case "AccessToken":
        return { ...unused(model), ...accessTokens(deps) };
      case "Grant":
        return { ...unused(model), ...grants(deps) };
      case "Client":
        return { ...unused(model), ...clients(deps) };
      case "Session":
        return {
          ...unused(model),
          upsert: () => Promise.resolve(undefined),
          find: () => Promise.resolve(undefined),
          findByUid: () => Promise.resolve(undefined),
          destroy: () => Promise.resolve(undefined),
        };
      case "ReplayDetection":
        return {
          ...records(deps, model),
          upsert: async (id, payload, expiresIn = 0) => {
            const record = recordRow(model, { id, payload, expiresAt: clock.now() + expiresIn * 1000 });
            if (!(await addOauthRecord(storage, record)))
              throw new errors.InvalidClientAuth("client assertion tokens must only be used once");
          },
        };
      case "AuthorizationCode":
      case "RefreshToken":
      case "Interaction":
        return records(deps, model);
      default:
        return unused(model);
    }
  };
}

/** Thrown when of several requests with one refresh token another came first: its answer is to be repeated. */
export class LostRefreshRace extends errors.InvalidGrant {}

function records(deps: AdapterDeps, model: string): Adapter {
  const { storage, clock, resumeUrl } = deps;
  return {
    ...unused(model),
    upsert: async (id, payload, expiresIn = 0) => {
      await putOauthRecord(storage, recordRow(model, { id, payload, expiresAt: clock.now() + expiresIn * 1000 }));
    },
    find: async (id) => {
      const row = await findOauthRecord(storage, recordHash(model, id));
      if (row === undefined) return undefined;
      if (model === "AuthorizationCode" && row.consumed_at !== null && row.grant_id !== null)
        await untilIssued(deps, row.grant_id, row.consumed_at);
      const consumed = row.consumed_at === null ? {} : { consumed: Math.floor(row.consumed_at / 1000) };
      const place = model === "Interaction" ? { returnTo: resumeUrl(id) } : {};
      return { ...storedPayload.parse(JSON.parse(row.payload)), ...consumed, ...place, jti: id };
    },
    consume: async (id) => {
      const hash = recordHash(model, id);
      if (await consumeOauthRecord(storage.db, hash, clock.now())) return;
      // A token that is gone was revoked; one that is still there was used by another request.
      const wasUsed = model === "RefreshToken" && (await findOauthRecord(storage, hash)) !== undefined;
      throw wasUsed ? new LostRefreshRace("refresh token already used") : new errors.InvalidGrant("already consumed");
    },
    destroy: async (id) => {
      const existed = await deleteOauthRecord(storage, recordHash(model, id));
      // Of two who go on with one authorization, one succeeds.
      if (!existed && model === "Interaction") throw new errors.SessionNotFound("authorization request has expired");
    },
    revokeByGrantId: async (grantId) => {
      await deleteGrantRecords(storage, model, grantId);
    },
  };
}

/** How long a second request with a code waits for the first to have its answer, which in another process may be on its way. */
const FIRST_ANSWER_MS = 2_000;
const LOOK_EVERY_MS = 25;

/** Waits until tokens were issued for the code that was used at `usedAt`, so that revoking them comes after the first answer. */
async function untilIssued({ storage, clock }: AdapterDeps, grantId: string, usedAt: number): Promise<void> {
  while (clock.now() < usedAt + FIRST_ANSWER_MS) {
    const grant = await findAppGrant(storage, grantId);
    if (grant === undefined || grant.issued_at !== null) return;
    await clock.wait(LOOK_EVERY_MS);
  }
}

const storedPayload = z.record(z.string(), z.unknown());

function recordRow(model: string, record: { id: string; payload: AdapterPayload; expiresAt: number }) {
  const { jti: _secret, returnTo: _place, consumed: _column, ...payload } = record.payload;
  return {
    id_hash: recordHash(model, record.id),
    kind: model,
    grant_id: payload.grantId ?? null,
    payload: JSON.stringify(payload),
    consumed_at: null,
    expires_at: Math.round(record.expiresAt),
  };
}

function accessTokens({ storage, clock }: AdapterDeps): Pick<Adapter, "upsert" | "find" | "destroy" | "revokeByGrantId"> {
  return {
    upsert: async (id, payload, expiresIn = 0) => {
      const { grantId, aud, scope = "" } = payload;
      if (grantId === undefined || typeof aud !== "string")
        throw new Error("an access token without a grant or an audience was to be stored");
      await insertAccessToken(storage, {
        token_hash: sha256Hex(id),
        grant_id: grantId,
        audience: aud,
        scope: scope.split(" ").includes("write") ? "write" : "read",
        created_at: clock.now(),
        expires_at: clock.now() + expiresIn * 1000,
      });
    },
    find: async (id) => {
      const token = await findAccessToken(storage, sha256Hex(id));
      if (token === undefined) return undefined;
      const seconds = { iat: Math.floor(token.created_at / 1000), exp: Math.floor(token.expires_at / 1000) };
      return {
        kind: "AccessToken",
        jti: id,
        grantId: token.grant_id,
        clientId: token.client_id,
        accountId: token.user_id,
        aud: token.audience,
        ...seconds,
      };
    },
    destroy: (id) => deleteAccessTokens(storage, { tokenHash: sha256Hex(id) }),
    revokeByGrantId: (grantId) => deleteAccessTokens(storage, { grantId }),
  };
}

/** The library's grant is our row, read anew each time: there is no second record that could outlive a revocation. */
function grants({ storage, clock, resource, unusedLimitMs, revokeGrant }: AdapterDeps): Pick<Adapter, "find" | "destroy"> {
  return {
    find: async (id) => {
      const grant = await findAppGrant(storage, id);
      return grant === undefined || !isGrantLive(grant, clock.now(), unusedLimitMs) ? undefined : grantPayload(grant, resource);
    },
    destroy: (id) => revokeGrant(id),
  };
}

function grantPayload(grant: AppGrantRow, resource: string): AdapterPayload {
  return {
    kind: "Grant",
    jti: grant.id,
    accountId: grant.user_id,
    clientId: grant.client_id,
    iat: Math.floor(grant.created_at / 1000),
    ...(grant.expires_at === null ? {} : { exp: Math.floor(grant.expires_at / 1000) }),
    resources: { [resource]: grant.scope === "write" ? "read write" : "read" },
    // What was not granted counts as answered, so that it is not asked for again.
    ...(grant.scope === "write" ? {} : { rejected: { resources: { [resource]: "write" } } }),
  };
}

/** How a stored client secret begins; the rest is its SHA-256. */
const HASHED = "sha256:";

/** The stored form of a client secret. It has 256 random bits, so that one plain hash is enough. */
export function hashedClientSecret(secret: string): string {
  return HASHED + sha256Hex(secret);
}

/** The form of the ids that registration gives. */
const CLIENT_ID = /^client_[\w-]{1,64}$/;

function clients({ storage, clock }: AdapterDeps): Pick<Adapter, "upsert" | "find" | "destroy"> {
  return {
    upsert: async (id, payload) => {
      const secret = typeof payload.client_secret === "string" ? { client_secret: hashedClientSecret(payload.client_secret) } : {};
      const metadata = JSON.stringify({ ...payload, ...secret });
      await putOauthClient(storage, { client_id: id, metadata, created_at: clock.now(), used_at: null });
      await evictUnusedClients(storage);
    },
    find: async (id) => {
      // Anybody may name any id: what can't be one of ours, and what a database chokes on, is not looked for.
      const client = CLIENT_ID.test(id) ? await findOauthClient(storage, id) : undefined;
      return client === undefined ? undefined : storedPayload.parse(JSON.parse(client.metadata));
    },
    destroy: (id) => deleteOauthClient(storage, id),
  };
}

/** Refuses what the library is not meant to do here. */
function unused(model: string): Adapter {
  const refuse = (): Promise<never> =>
    Promise.reject(new Error(`the OAuth library wanted to store a ${model} in a way that is not provided`));
  return {
    upsert: refuse,
    find: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
    findByUid: () => Promise.resolve(undefined),
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: () => Promise.resolve(undefined),
  };
}
