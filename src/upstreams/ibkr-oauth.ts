import { z } from "zod";

import { proveIbkrMode } from "../ibkr/mode-proof.ts";
import { dhParametersPem, normalizePrime, primeFault, standardPrime } from "./diffie-hellman.ts";
import { nextReset, type ResetRegion } from "./nightly-reset.ts";
import { makePrivateKeyPem, normalizePem, privateKeyFault, publicKeyPem, tokenSecretFault } from "./oauth-keys.ts";
import { connectByOAuth } from "./oauth-link.ts";
import type { EntryFault, PublicFile, Upstream } from "./upstream.ts";

/** Regions and their hosts; the first is where IBKR itself sends each user to a data centre. Source: IBKR's support, as users pass it on. */
const REGIONS = {
  automatic: { host: "api.ibkr.com", label: "Automatic (best unless IBKR told you otherwise)" },
  new_york: { host: "1.api.ibkr.com", label: "New York" },
  chicago: { host: "3.api.ibkr.com", label: "Chicago" },
  hong_kong: { host: "5.api.ibkr.com", label: "Hong Kong" },
  zug: { host: "7.api.ibkr.com", label: "Zug" },
} as const;

const settings = z.object({
  /** Nine letters. Public: IBKR's page shows it as well. */
  consumerKey: z.string().regex(/^[A-Z]{9}$/),
  region: z.enum(["automatic", "new_york", "chicago", "hong_kong", "zug"]).default("automatic"),
});

const SECRETS = ["accessToken", "accessTokenSecret", "privateSignaturePem", "privateEncryptionPem", "dhPrime"] as const;
type SecretName = (typeof SECRETS)[number];

/** IBKR's page where a user sets up consumer key, keys and access token. */
const SELF_SERVICE = "https://ndcdyn.interactivebrokers.com/sso/Login?action=OAUTH&RL=1&ip2loc=US";
const KEY_FILES = { privateSignaturePem: "private_signature.pem", privateEncryptionPem: "private_encryption.pem" } as const;

/** IBKR itself, by the OAuth 1.0a that each user sets up for themselves at IBKR. Paper and live users are set up one by one. */
export const ibkrOauth: Upstream<typeof settings, SecretName> = {
  kind: "ibkr-oauth",
  title: "Interactive Brokers",
  modes: ["paper", "live"],
  settings,
  secretFields: SECRETS,
  vouchesForUserName: true,
  loginOf: ({ consumerKey }) => consumerKey,
  form: {
    summary:
      "Your account at Interactive Brokers, paper or live, by IBKR's own OAuth: nothing runs on your machine, and no password is entered here.",
    fields: {
      consumerKey: { label: "Consumer key", help: "The nine letters that you chose on IBKR's page." },
      region: {
        label: "IBKR's data centre",
        help: "Automatic lets IBKR choose. It also decides when IBKR's night is.",
        choices: Object.fromEntries(Object.entries(REGIONS).map(([name, { label }]) => [name, label])),
      },
      accessToken: { label: "Access token", help: "As IBKR's page shows it after “Generate token”." },
      accessTokenSecret: {
        label: "Access token secret",
        help: "The long text below the access token. IBKR shows it once.",
        multiline: true,
      },
      privateSignaturePem: {
        label: "Private signature key",
        help: "Made for you. Paste your own private_signature.pem only if its public half is at IBKR already.",
        multiline: true,
        isMade: true,
      },
      privateEncryptionPem: {
        label: "Private encryption key",
        help: "Made for you. Paste your own private_encryption.pem only if its public half is at IBKR already.",
        multiline: true,
        isMade: true,
      },
      dhPrime: {
        label: "Diffie-Hellman parameters",
        help: "Made for you. Paste your own dhparam.pem, or its prime in hex, only if that file is at IBKR already.",
        multiline: true,
        isMade: true,
      },
    },
  },
  steps: [
    {
      id: "files",
      title: "Take three files",
      text: "Save these three files on your computer. In the next step you give them to IBKR, so that IBKR recognises this server.\n\nThey are public: whoever sees them can do nothing with them. The secret halves stay here, encrypted.\n\nIf you gave IBKR keys of your own earlier, paste them below instead.",
      fields: ["privateSignaturePem", "privateEncryptionPem", "dhPrime"],
      offersFiles: true,
    },
    {
      id: "at-ibkr",
      title: "Give them to IBKR",
      text: "Open IBKR's page and log in with the very username that shall trade. For a paper account that is your paper username; live and paper are set up one by one.\n\n1. Choose a consumer key: any nine letters, such as your name and some more. Enter it on IBKR's page and below.\n\n2. Upload the three files, each where its name says.\n\n3. Press “Generate token”. Copy the access token and the access token secret at once: IBKR shows the secret only this time.",
      fields: ["consumerKey", "accessToken", "accessTokenSecret"],
      link: SELF_SERVICE,
    },
    {
      id: "wait",
      title: "Wait for IBKR's night",
      text: "IBKR takes new keys into use at its next nightly reset: midnight in New York, in Zug or in Hong Kong, whichever serves your account. After a change on a weekend it may take until Monday.\n\nYou need not stay: come back after that and press “Test”; the first call of an app or a script tries it, too. Until then IBKR answers that it does not know the consumer key. That is no fault of yours.",
      fields: ["region"],
      link: SELF_SERVICE,
    },
  ],
  prepare: async () => {
    const [privateSignaturePem, privateEncryptionPem] = await Promise.all([makePrivateKeyPem(), makePrivateKeyPem()]);
    return { privateSignaturePem, privateEncryptionPem, dhPrime: standardPrime() };
  },
  publicFiles,
  normalize,
  check,
  activeFrom: ({ region }, now) => Math.max(...resetRegions(region).map((where) => nextReset(where, now))),
  connect: ({ consumerKey, region }, secrets, deps) =>
    connectByOAuth({ baseUrl: baseUrlOf(region, deps.ibkrBaseUrls), consumerKey, ...secrets, proveMode: proveIbkrMode }, deps),
};

function baseUrlOf(region: keyof typeof REGIONS, inPlace: Readonly<Record<string, string>> | undefined): string {
  return inPlace?.[region] ?? `https://${REGIONS[region].host}/v1/api`;
}

/** Where the night may be that a new consumer has to wait for. */
function resetRegions(region: string | undefined): readonly ResetRegion[] {
  if (region === "zug" || region === "hong_kong") return [region];
  return region === "new_york" || region === "chicago" ? ["new_york"] : ["new_york", "zug", "hong_kong"];
}

function publicFiles(secrets: Partial<Readonly<Record<SecretName, string>>>): readonly PublicFile[] {
  const { privateSignaturePem = "", privateEncryptionPem = "", dhPrime = "" } = secrets;
  const signature = publicKeyPem(privateSignaturePem);
  const encryption = publicKeyPem(privateEncryptionPem);
  if (signature === undefined || encryption === undefined || primeFault(dhPrime) !== undefined) return [];
  return [
    { name: "public_signature.pem", description: "With it IBKR checks that a request is yours.", content: signature },
    { name: "public_encryption.pem", description: "With it IBKR encrypts your access token secret.", content: encryption },
    { name: "dhparam.pem", description: "Numbers that both sides count with when a session begins.", content: dhParametersPem(dhPrime) },
  ];
}

function normalize(field: string, text: string): string {
  switch (field) {
    case "consumerKey":
      return text.replaceAll(/\s/g, "").toUpperCase();
    case "accessToken":
    case "accessTokenSecret":
      return text.replaceAll(/\s/g, "");
    case "dhPrime":
      return normalizePrime(text);
    case "privateSignaturePem":
    case "privateEncryptionPem":
      return normalizePem(text);
    default:
      return text;
  }
}

function check(values: Readonly<Record<string, string>>): readonly EntryFault[] {
  const { consumerKey, accessToken, accessTokenSecret, dhPrime, privateSignaturePem, privateEncryptionPem } = values;
  const found = (field: string, fault: Omit<EntryFault, "field"> | undefined) => (fault === undefined ? [] : [{ field, ...fault }]);
  const keyFaults = (["privateSignaturePem", "privateEncryptionPem"] as const).flatMap((field) => {
    const pem = values[field];
    return pem === undefined ? [] : found(field, privateKeyFault(pem, KEY_FILES[field]));
  });
  const areSame = privateSignaturePem !== undefined && privateSignaturePem === privateEncryptionPem;
  return [
    ...keyFaults,
    ...(areSame && keyFaults.length === 0 ? [SAME_KEYS] : []),
    ...(dhPrime === undefined ? [] : found("dhPrime", primeFault(dhPrime))),
    ...(consumerKey === undefined ? [] : found("consumerKey", consumerKeyFault(consumerKey))),
    ...(accessToken === undefined ? [] : found("accessToken", accessTokenFault(accessToken))),
    ...(accessTokenSecret === undefined ? [] : found("accessTokenSecret", tokenSecretFault(accessTokenSecret, privateEncryptionPem))),
  ];
}

const SAME_KEYS: EntryFault = {
  field: "privateEncryptionPem",
  message: "This is the signature key once more.",
  whatToDo: "Paste the private key whose public half is at IBKR as the encryption key.",
};

function consumerKeyFault(key: string): Omit<EntryFault, "field"> | undefined {
  if (/^[A-Z]{9}$/.test(key)) return undefined;
  const why = /^[A-Z]*$/.test(key) ? `This has ${key.length} letters` : "This holds more than the letters A to Z";
  return { message: `${why}; a consumer key is nine letters.`, whatToDo: "Enter the consumer key that you chose on IBKR's page." };
}

/** IBKR's tokens are hexadecimal as far as is known; only what can't be one is refused. */
function accessTokenFault(token: string): Omit<EntryFault, "field"> | undefined {
  if (token.length > 200)
    return {
      message: "This is too long for an access token.",
      whatToDo: "Perhaps it is the access token secret. The token is the shorter one of the two.",
    };
  return /^[\w.~-]+$/.test(token)
    ? undefined
    : {
        message: "This is not an access token: it holds characters that no token has.",
        whatToDo: "Copy the access token from IBKR's page again.",
      };
}
