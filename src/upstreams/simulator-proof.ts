import { createPublicKey, verify, type KeyObject } from "node:crypto";

import { z } from "zod";

import type { ProveMode } from "../ibkr/mode-proof.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";

export interface SimulatorProofDeps {
  /** Where the simulator's Web API begins; the proof is at `/simulator/proof` of the same origin. */
  readonly baseUrl: string;
  /** The public key that was pinned with the connection, PEM. */
  readonly proofKey: string;
  readonly random: Random;
  readonly fetch: typeof fetch;
}

/** What stands before the nonce in what is signed. */
const PREFIX = "ibkr-simulator-proof/1:";
const NONCE_BYTES = 32;
/** An answer has half a kilobyte. */
const MAX_ANSWER_BYTES = 16_384;
const LIMIT_MS = 10_000;
const answerSchema = z.object({ nonce: z.string(), signature: z.base64() });

/**
 * Makes the proof that invented money is behind an address: whatever is there signs a new nonce with the simulator's pinned key at
 * each session. No server of IBKR's can. Without the right signature nothing is proven, and the connection freezes. Throws
 * `connection_not_ready` when the pinned key is none.
 */
export function createSimulatorProof(deps: SimulatorProofDeps): ProveMode {
  const key = readProofKey(deps.proofKey);
  if (key === undefined)
    throw new GatewayError("connection_not_ready", "The connection's proof key is not an Ed25519 public key in PEM form.", {
      whatToDo: "Enter the file proof_key.pem of the simulator's credentials folder again.",
    });
  const url = `${new URL(deps.baseUrl).origin}/simulator/proof`;
  return async (_evidence, signal) => {
    const nonce = deps.random.bytes(NONCE_BYTES).toString("base64url");
    const answer = await ask(deps.fetch, url, { nonce, signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]) });
    const parsed = answerSchema.safeParse(answer);
    if (!parsed.success || parsed.data.nonce !== nonce) return undefined;
    return verify(null, Buffer.from(PREFIX + nonce, "utf8"), key, Buffer.from(parsed.data.signature, "base64")) ? "simulated" : undefined;
  };
}

/** Reads the simulator's public key; undefined when it is none. */
export function readProofKey(pem: string): KeyObject | undefined {
  // node makes a public key of a private one, which must not have been copied here.
  if (!/-----BEGIN PUBLIC KEY-----/.test(pem)) return undefined;
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The parsed answer; undefined when there is no such thing as a proof at the address. Throws `upstream_unavailable` when nobody could be asked. */
async function ask(send: typeof fetch, url: string, { nonce, signal }: { nonce: string; signal: AbortSignal }): Promise<unknown> {
  try {
    const response = await send(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "ibkr-gateway" },
      body: JSON.stringify({ nonce }),
      redirect: "manual",
      signal,
    });
    const text = await readText(response);
    if (response.status >= 500 || response.status === 429) throw notAsked(`it answered ${response.status}`);
    return response.status === 200 ? JSON.parse(text) : undefined;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw notAsked("it did not answer", error);
  }
}

/** Throws a `RangeError` when it is longer than a proof. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new RangeError("longer than a proof");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function notAsked(why: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream_unavailable", `The simulator could not be asked for its proof: ${why}.`, {
    whatToDo: "Check that the simulator runs, then try again.",
    cause,
  });
}
