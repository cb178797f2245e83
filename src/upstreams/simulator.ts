import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { SimulatorCredentials } from "../simulator/index.ts";
import { createGuardedEdge } from "./guarded-edge.ts";
import { normalizePem, privateKeyFault, tokenSecretFault } from "./oauth-keys.ts";
import { connectByOAuth } from "./oauth-link.ts";
import { createSimulatorProof, readProofKey } from "./simulator-proof.ts";
import type { EntryFault, OwnSimulator, Upstream } from "./upstream.ts";

const settings = z.object({
  /** `embedded` for the gateway's own simulator, or the base URL of another one (`http://127.0.0.1:5055/v1/api`). */
  baseUrl: z.union([z.literal("embedded"), z.url({ protocol: /^https?$/ })]),
});

/** The proof key is public, but pinned with the connection like the others. */
const SECRETS = [
  "consumerKey",
  "accessToken",
  "accessTokenSecret",
  "dhPrime",
  "privateSignaturePem",
  "privateEncryptionPem",
  "proofKey",
] as const;
const PEM_FIELDS: ReadonlySet<string> = new Set(["privateSignaturePem", "privateEncryptionPem", "proofKey"]);

/** The simulator: a Web API of ours, reached over HTTP with real OAuth 1.0a like IBKR's own. */
export const simulator: Upstream<typeof settings, (typeof SECRETS)[number]> = {
  kind: "simulator",
  title: "Simulator",
  modes: ["simulated"],
  settings,
  secretFields: SECRETS,
  neededSecrets: ({ baseUrl }, own) => (isOwn(baseUrl, own) ? [] : SECRETS),
  form: {
    summary: "Invented money on an invented market. Everything works as with a real account, and nothing can be lost.",
    fields: {
      baseUrl: { label: "Address", help: "Where the simulator is, such as http://127.0.0.1:5055." },
      consumerKey: { label: "Consumer key", help: "The file consumer_key in the simulator's credentials folder." },
      accessToken: { label: "Access token", help: "The file access_token." },
      accessTokenSecret: { label: "Access token secret", help: "The file access_token_secret, in base64." },
      dhPrime: { label: "Diffie-Hellman prime", help: "The file dh_prime, in hex.", multiline: true },
      privateSignaturePem: { label: "Signature key", help: "The file private_signature.pem.", multiline: true },
      privateEncryptionPem: { label: "Encryption key", help: "The file private_encryption.pem.", multiline: true },
      proofKey: {
        label: "Proof key",
        help: "The file proof_key.pem. With it the simulator proves that its money is invented.",
        multiline: true,
      },
    },
  },
  addressFields: ["baseUrl"],
  loginOf: ({ baseUrl }) => (baseUrl === "embedded" ? undefined : withoutSlash(baseUrl)),
  steps: [
    {
      id: "simulator",
      title: "The simulator",
      text: "Start a simulator with `ibkr-simulator --credentials-dir FOLDER`. Enter its address, and what the files in that folder hold.",
      fields: ["baseUrl", ...SECRETS],
    },
  ],
  normalize: (field, text) => {
    if (field === "baseUrl") return text === "embedded" ? text : apiBaseOf(text);
    if (PEM_FIELDS.has(field)) return normalizePem(text);
    return ["consumerKey", "accessToken", "accessTokenSecret"].includes(field) ? text.replaceAll(/\s/g, "") : text;
  },
  check,
  connect: ({ baseUrl: where }, secrets, deps) => {
    const own = deps.embeddedSimulator;
    // Earlier versions kept address and credentials of the own simulator in each row; what was kept may be stale by now.
    if (isOwn(where, own)) {
      if (own === undefined) throw noSimulator();
      const { baseUrl, credentials, proofKey } = own;
      const proveMode = createSimulatorProof({ baseUrl, proofKey, random: deps.random, fetch: deps.fetch });
      return connectByOAuth({ baseUrl: withoutSlash(baseUrl), ...sealed(credentials), proveMode }, deps);
    }
    const baseUrl = withoutSlash(where);
    const edge = createGuardedEdge({ url: deps.hostPolicy.checkUrl(baseUrl), hostPolicy: deps.hostPolicy, fingerprint: undefined });
    const proveMode = createSimulatorProof({ baseUrl, proofKey: secrets.proofKey.reveal(), random: deps.random, fetch: edge.fetch });
    return connectByOAuth({ baseUrl, ...secrets, consumerKey: secrets.consumerKey.reveal(), proveMode, edge }, deps);
  },
};

/** True for the gateway's own simulator, also where a row of an earlier version names its address. */
function isOwn(baseUrl: string, own: OwnSimulator | undefined): boolean {
  return baseUrl === "embedded" || (own !== undefined && withoutSlash(baseUrl) === withoutSlash(own.baseUrl));
}

function check(values: Readonly<Record<string, string>>): readonly EntryFault[] {
  const { proofKey, privateSignaturePem, privateEncryptionPem, accessTokenSecret, dhPrime } = values;
  const found = (field: string, fault: Omit<EntryFault, "field"> | undefined) => (fault === undefined ? [] : [{ field, ...fault }]);
  return [
    ...(proofKey === undefined || readProofKey(proofKey) !== undefined ? [] : [BAD_PROOF_KEY]),
    ...(privateSignaturePem === undefined
      ? []
      : found("privateSignaturePem", privateKeyFault(privateSignaturePem, "private_signature.pem"))),
    ...(privateEncryptionPem === undefined
      ? []
      : found("privateEncryptionPem", privateKeyFault(privateEncryptionPem, "private_encryption.pem"))),
    ...(accessTokenSecret === undefined ? [] : found("accessTokenSecret", tokenSecretFault(accessTokenSecret, privateEncryptionPem))),
    ...(dhPrime === undefined || /^[0-9a-f\s]+$/i.test(dhPrime) ? [] : [BAD_PRIME]),
  ];
}

const BAD_PROOF_KEY: EntryFault = {
  field: "proofKey",
  message: "This is not the simulator's proof key.",
  whatToDo: "Paste the whole file proof_key.pem of the simulator's credentials folder.",
};
const BAD_PRIME: EntryFault = {
  field: "dhPrime",
  message: "This is not hexadecimal.",
  whatToDo: "Paste the whole file dh_prime of the simulator's credentials folder.",
};

function noSimulator(): GatewayError {
  return new GatewayError("connection_not_ready", "This connection wants the gateway's own simulator, and this gateway has none.", {
    whatToDo: "Start the gateway with its simulator, or give the connection a simulator's URL.",
  });
}

/** The address of a simulator as people copy it, with `/v1/api` at its end. */
function apiBaseOf(text: string): string {
  const url = URL.parse(text);
  return url !== null && url.pathname === "/" && url.search === "" && url.hash === "" ? `${withoutSlash(text)}/v1/api` : withoutSlash(text);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function sealed(credentials: SimulatorCredentials) {
  return {
    consumerKey: credentials.consumerKey,
    accessToken: new Secret(credentials.accessToken),
    accessTokenSecret: new Secret(credentials.accessTokenSecret),
    dhPrime: new Secret(credentials.dhPrime),
    privateSignaturePem: new Secret(credentials.privateSignaturePem),
    privateEncryptionPem: new Secret(credentials.privateEncryptionPem),
  };
}
