import type { IncomingMessage, ServerResponse } from "node:http";

import type Provider from "oidc-provider";
import { errors } from "oidc-provider";

import type { Clock } from "../../lib/clock.ts";
import { GatewayError } from "../../lib/errors.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { type AppGrantRow, insertAppGrant } from "../../storage/app-grants.ts";
import { findConnection } from "../../storage/connections.ts";
import { markOauthClientUsed } from "../../storage/oauth-clients.ts";
import { consumeOauthRecord } from "../../storage/oauth-records.ts";
import type { Storage } from "../../storage/storage.ts";
import { ASKED_SCOPE } from "./authorize-request.ts";
import { type ClientIdentity, IDENTITY_MEMBER } from "./client-metadata.ts";
import type { AuthorizationRequest, ConsentDecision, ConsentDesk } from "./consent-desk.ts";
import { displayName } from "./display-name.ts";
import type { GrantJournal } from "./grant-journal.ts";
import { redirectKind } from "./redirect-uris.ts";
import { recordHash } from "./secret-ids.ts";

export interface ConsentDeskDeps {
  readonly provider: Provider;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: GrantJournal;
}

const MAX_ACCOUNTS = 100;

/** Makes the desk at which the consent page asks what is wanted and says what was decided. */
export function createConsentDesk(deps: ConsentDeskDeps): ConsentDesk {
  const { provider, storage, clock } = deps;

  const current = async (req: IncomingMessage, res: ServerResponse, interactionId: string): Promise<AuthorizationRequest | undefined> => {
    try {
      const interaction = await provider.interactionDetails(req, res);
      // An answered authorization is over for the page, even before the browser has gone on.
      if (interaction.uid !== interactionId || interaction.result !== undefined) return undefined;
      return await describe(provider, interaction.uid, interaction.params);
    } catch (error) {
      if (error instanceof errors.OIDCProviderError) return undefined;
      throw error;
    }
  };

  return {
    find: current,
    approve: async (req, res, interactionId, decision) => {
      const request = await current(req, res, interactionId);
      if (request === undefined) throw over();
      await checkDecision(deps, decision);
      const grant = newGrant(deps, request, decision);
      try {
        await storage.transaction(async (transaction) => {
          if (!(await consumeOauthRecord(transaction, recordHash("Interaction", interactionId), clock.now()))) throw over();
          await insertAppGrant(transaction, grant);
          await markOauthClientUsed(transaction, grant.client_id, clock.now());
        });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new GatewayError("invalid_arguments", `${error.message}.`, {
          whatToDo: "Disconnect apps that are no longer used, then try again.",
        });
      }
      deps.journal.note("oauth.approved", grant, { requestId: requestIdOf(res, deps.random) });
      const result = { login: { accountId: decision.userId, remember: false }, consent: { grantId: grant.id } };
      return { redirectTo: await provider.interactionResult(req, res, result, { mergeWithLastSubmission: false }) };
    },
    deny: async (req, res, interactionId) => {
      const request = await current(req, res, interactionId);
      if (request === undefined) throw over();
      if (!(await consumeOauthRecord(storage.db, recordHash("Interaction", interactionId), clock.now()))) throw over();
      const result = { error: "access_denied", error_description: "the person refused" };
      return { redirectTo: await provider.interactionResult(req, res, result, { mergeWithLastSubmission: false }) };
    },
  };
}

async function describe(
  provider: Provider,
  interactionId: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<AuthorizationRequest | undefined> {
  const { client_id: clientId, redirect_uri: redirectUri } = parameters;
  if (typeof clientId !== "string" || typeof redirectUri !== "string") return undefined;
  const client = await provider.Client.find(clientId);
  if (client === undefined) return undefined;
  const identity = identityOf(client[IDENTITY_MEMBER]);
  const asked = parameters[ASKED_SCOPE];
  return {
    interactionId,
    clientId,
    claimedName: displayName(client.clientName, "Unnamed client"),
    identity,
    clientHost: identity === "registered" ? undefined : new URL(clientId).host,
    redirectUri,
    redirectKind: redirectKind(redirectUri),
    askedScope: asked === "write" || asked === "read" ? asked : undefined,
  };
}

function identityOf(stored: unknown): ClientIdentity {
  return stored === "metadata_document" || stored === "built_in" ? stored : "registered";
}

async function checkDecision({ storage, clock }: ConsentDeskDeps, decision: ConsentDecision): Promise<void> {
  const connection = await findConnection(storage, { connectionId: decision.connectionId, userId: decision.userId });
  if (connection === undefined) throw refuse("You have no such connection.", "Choose one of your own connections.");
  const accounts = decision.allowedAccountIds;
  if (accounts !== undefined && (accounts.length === 0 || accounts.length > MAX_ACCOUNTS)) {
    throw refuse("The list of accounts is empty or too long.", `Choose 1 to ${MAX_ACCOUNTS} accounts, or all of them.`);
  }
  if (decision.expiresAt !== undefined && !(Number.isSafeInteger(decision.expiresAt) && decision.expiresAt > clock.now())) {
    throw refuse("The chosen end is not a time in the future.", "Choose a later time, or none.");
  }
}

function newGrant({ clock, random }: ConsentDeskDeps, request: AuthorizationRequest, decision: ConsentDecision): AppGrantRow {
  return {
    id: randomId(random, "grt_"),
    user_id: decision.userId,
    connection_id: decision.connectionId,
    client_id: request.clientId,
    client_name: request.claimedName,
    client_host: request.clientHost ?? null,
    client_identity: request.identity,
    redirect_uri: request.redirectUri,
    scope: decision.scope,
    allowed_account_ids: decision.allowedAccountIds === undefined ? null : JSON.stringify(decision.allowedAccountIds),
    limits: null,
    pinned_account_id: null,
    created_at: clock.now(),
    expires_at: decision.expiresAt ?? null,
    issued_at: null,
    last_used_at: null,
    last_used_address: null,
    last_used_client: null,
    revoked_at: null,
    revoked_because: null,
    toolsets: decision.toolsets.length === 0 ? null : JSON.stringify(decision.toolsets),
  };
}

function over(): GatewayError {
  return refuse(
    "This authorization is over: it was answered already, took too long, or was begun in another browser.",
    "Go back to the app and connect again.",
  );
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}

/** The id that the server gave the request that is being answered. */
function requestIdOf(res: ServerResponse, random: Random): string {
  const id = res.getHeader("x-request-id");
  return typeof id === "string" ? id : randomId(random, "req_");
}
