import { createHmac, timingSafeEqual, verify } from "node:crypto";

import type { Random } from "../../lib/random.ts";
import { failure, ok } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import { parseAuthorizationHeader } from "./authorization-header.ts";
import type { Consumer } from "./consumer.ts";
import type { Consumers } from "./consumers.ts";
import { DIFFIE_HELLMAN_GENERATOR, deriveLiveSessionToken, powerModulo, signLiveSessionToken } from "./live-session-token.ts";
import { Nonces } from "./nonces.ts";
import type { LiveSessionToken, Sessions } from "./sessions.ts";
import { signatureBases } from "./signature-base.ts";
import type { SignedRequest } from "./signature-base.ts";
import type { UserSession } from "./user-session.ts";

/** How far a request's timestamp may be from our clock, in seconds. */
const TIMESTAMP_WINDOW_SECONDS = 5 * 60;
/** Size of our secret Diffie-Hellman exponent. */
const EXPONENT_BYTES = 32;

/** A request as its signer saw it. */
export interface AuthenticRequest extends Omit<SignedRequest, "parameters"> {
  readonly authorization: string | undefined;
  /** Epoch ms. */
  readonly now: number;
  /** How far that is ahead of the clock which clients sign by: the simulator's own may have been moved on. */
  readonly aheadMs: number;
}

/** Who a request comes from, or the reply that refuses it. */
type Authentication = { readonly session: UserSession } | { readonly refusal: SimReply };

/** Checks signatures, and gives out Live Session Tokens. */
export interface Authenticator {
  /** Answers `POST /oauth/live_session_token`. */
  exchange(request: AuthenticRequest): SimReply;
  authenticate(request: AuthenticRequest): Authentication;
}

export interface AuthenticatorOptions {
  readonly consumers: Consumers;
  readonly sessions: Sessions;
  readonly random: Random;
}

interface Claim {
  readonly consumer: Consumer;
  readonly signed: SignedRequest;
  readonly signature: Buffer;
  readonly parameter: (name: string) => string;
}

/** Makes the judge of OAuth 1.0a requests, with IBKR's words for each failure (all of them 401). */
export function createAuthenticator({ consumers, sessions, random }: AuthenticatorOptions): Authenticator {
  const nonces = new Nonces(TIMESTAMP_WINDOW_SECONDS);

  /** Everything that is checked before the signature. */
  function readClaim(request: AuthenticRequest, method: "RSA-SHA256" | "HMAC-SHA256"): Claim | SimReply {
    const parameters = parseAuthorizationHeader(request.authorization);
    if (parameters === undefined) return notAuthenticated;
    const parameter = (name: string) => parameters.get(name) ?? "";
    const consumer = consumers.get(parameter("oauth_consumer_key"));
    if (consumer === undefined) return refused(39_687, "invalid consumer");
    if (parameter("oauth_token") !== consumer.accessToken) return unknownToken(method, parameter("oauth_token"));
    if (parameter("oauth_signature_method") !== method) return refused(41_275, "invalid signature method");
    const refusal = nonces.refusal(parameter("oauth_timestamp"), parameter("oauth_nonce"), request.now - request.aheadMs);
    if (refusal === "timestamp") return refused(41_276, "invalid signature: timestamp refused");
    if (refusal === "replay") return refused(41_277, "invalid signature: nonce already used");
    const { authorization: _, now: __, aheadMs: ___, ...signed } = request;
    const signature = Buffer.from(parameter("oauth_signature"), "base64");
    return { consumer, signed: { ...signed, parameters }, signature, parameter };
  }

  function remember(claim: Claim, { now, aheadMs }: AuthenticRequest): void {
    nonces.use(claim.parameter("oauth_timestamp"), claim.parameter("oauth_nonce"), now - aheadMs);
  }

  return {
    exchange(request) {
      const claim = readClaim(request, "RSA-SHA256");
      if ("status" in claim) return claim;
      if (!verifiesRsa(claim)) return refused(41_278, "invalid signature");
      remember(claim, request);
      const { consumer } = claim;
      const challenge = readChallenge(claim.parameter("diffie_hellman_challenge"), consumer.dhPrime);
      if (challenge === undefined) return refused(118_871, "LST failed, error: ");
      const exponent = BigInt(`0x${random.bytes(EXPONENT_BYTES).toString("hex")}`) + 1n;
      const token = deriveLiveSessionToken(powerModulo(challenge, exponent, consumer.dhPrime), consumer.secret);
      return ok({
        diffie_hellman_response: powerModulo(DIFFIE_HELLMAN_GENERATOR, exponent, consumer.dhPrime).toString(16),
        live_session_token_signature: signLiveSessionToken(token, consumer.consumerKey),
        live_session_token_expiration: sessions.add(consumer.consumerKey, token, request.now) - request.aheadMs,
      });
    },
    authenticate(request) {
      const claim = readClaim(request, "HMAC-SHA256");
      if ("status" in claim) return { refusal: claim };
      const tokens = sessions.tokens(claim.consumer.consumerKey, request.now);
      if (tokens.length === 0) return { refusal: notAuthenticated };
      const signer = findSigner(claim, tokens);
      if (signer === undefined) return { refusal: refused(41_278, "invalid signature") };
      remember(claim, request);
      return { session: sessions.of(claim.consumer.consumerKey, signer.sessionId) };
    },
  };
}

const notAuthenticated = failure(401, "not authenticated");

function refused(id: number, text: string): SimReply {
  return failure(401, `id: ${id}, error: ${text}`);
}

function unknownToken(method: "RSA-SHA256" | "HMAC-SHA256", token: string): SimReply {
  if (method === "HMAC-SHA256") return notAuthenticated;
  return refused(118_871, `LST failed, error: No access secret key found for ${token.slice(0, 40)}`);
}

function verifiesRsa({ consumer, signed, signature }: Claim): boolean {
  const prepend = consumer.secret.toString("hex");
  for (const base of signatureBases(signed))
    if (verify("sha256", Buffer.from(prepend + base, "utf8"), consumer.signatureKey, signature)) return true;
  return false;
}

function findSigner({ signed, signature }: Claim, tokens: readonly LiveSessionToken[]): LiveSessionToken | undefined {
  for (const base of signatureBases(signed)) {
    const signer = tokens.find(({ token }) => verifiesHmac(base, token, signature));
    if (signer !== undefined) return signer;
  }
  return undefined;
}

function verifiesHmac(base: string, token: Buffer, signature: Buffer): boolean {
  const expected = createHmac("sha256", token).update(base, "utf8").digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function readChallenge(text: string, prime: bigint): bigint | undefined {
  if (!/^[0-9a-f]{1,512}$/i.test(text)) return undefined;
  const challenge = BigInt(`0x${text}`);
  return challenge > 1n && challenge < prime - 1n ? challenge : undefined;
}
