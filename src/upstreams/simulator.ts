import { z } from "zod";

import { createIbkrBroker } from "../ibkr/ibkr-broker.ts";
import type { ProveMode } from "../ibkr/mode-proof.ts";
import { OAuthLogin } from "../ibkr/oauth-login.ts";
import { prepareConsumer } from "../ibkr/oauth1a.ts";
import { GatewayError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { SimulatorCredentials } from "../simulator/index.ts";
import type { Upstream } from "./upstream.ts";

const settings = z.object({
  /** `embedded` for the gateway's own simulator, or the base URL of another one (`http://127.0.0.1:5055/v1/api`). */
  baseUrl: z.union([z.literal("embedded"), z.url({ protocol: /^https?$/ })]),
});

const SECRETS = ["consumerKey", "accessToken", "accessTokenSecret", "dhPrime", "privateSignaturePem", "privateEncryptionPem"] as const;

/** The simulator: a Web API of ours, reached over HTTP with real OAuth 1.0a like IBKR's own. */
export const simulator: Upstream<typeof settings, (typeof SECRETS)[number]> = {
  kind: "simulator",
  title: "Simulator",
  modes: ["simulated"],
  settings,
  secretFields: SECRETS,
  neededSecrets: ({ baseUrl }) => (baseUrl === "embedded" ? [] : SECRETS),
  form: {
    summary: "Invented money on an invented market. Everything works as with a real account, and nothing can be lost.",
    fields: {
      baseUrl: { label: "Address", help: "The simulator's base URL; it ends in /v1/api." },
      consumerKey: { label: "Consumer key", help: "The file consumer_key in the simulator's credentials folder." },
      accessToken: { label: "Access token", help: "The file access_token." },
      accessTokenSecret: { label: "Access token secret", help: "The file access_token_secret, in base64." },
      dhPrime: { label: "Diffie-Hellman prime", help: "The file dh_prime, in hex.", multiline: true },
      privateSignaturePem: { label: "Signature key", help: "The file private_signature.pem.", multiline: true },
      privateEncryptionPem: { label: "Encryption key", help: "The file private_encryption.pem.", multiline: true },
    },
  },
  addressFields: ["baseUrl"],
  loginOf: ({ baseUrl }) => (baseUrl === "embedded" ? undefined : withoutSlash(baseUrl)),
  steps: [
    {
      id: "simulator",
      title: "The simulator",
      text: "Enter where the simulator is and what its credentials folder holds.",
      fields: ["baseUrl", ...SECRETS],
    },
  ],
  connect: ({ baseUrl: where }, secrets, deps) => {
    const own = deps.embeddedSimulator;
    const isOwn = where === "embedded" || (own !== undefined && withoutSlash(where) === withoutSlash(own.baseUrl));
    if (isOwn && own === undefined)
      throw new GatewayError("connection_not_ready", "This connection wants the gateway's own simulator, and this gateway has none.", {
        whatToDo: "Start the gateway with its simulator, or give the connection a simulator's URL.",
      });
    const { baseUrl, credentials } = isOwn && own !== undefined ? own : { baseUrl: where, credentials: revealed(secrets) };
    const consumer = prepareConsumer({
      consumerKey: credentials.consumerKey,
      accessToken: credentials.accessToken,
      accessTokenSecret: new Secret(credentials.accessTokenSecret),
      dhPrime: credentials.dhPrime,
      privateSignaturePem: new Secret(credentials.privateSignaturePem),
      privateEncryptionPem: new Secret(credentials.privateEncryptionPem),
    });
    const { clock, random, log, fetch, expectedMode } = deps;
    const address = withoutSlash(baseUrl);
    const login = new OAuthLogin({ consumer, baseUrl: address, clock, random });
    const proveMode: ProveMode = () => Promise.resolve("simulated");
    const budget = deps.budgets?.join(JSON.stringify([address, credentials.consumerKey]), login.face);
    return createIbkrBroker(
      { baseUrl: address, login, proveMode, expectedMode, clock, random, log, fetch, ...(budget === undefined ? {} : { budget }) },
      { logoutOnClose: true },
    );
  },
};

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function revealed(secrets: Readonly<Record<(typeof SECRETS)[number], Secret>>): SimulatorCredentials {
  return {
    consumerKey: secrets.consumerKey.reveal(),
    accessToken: secrets.accessToken.reveal(),
    accessTokenSecret: secrets.accessTokenSecret.reveal(),
    dhPrime: secrets.dhPrime.reveal(),
    privateSignaturePem: secrets.privateSignaturePem.reveal(),
    privateEncryptionPem: secrets.privateEncryptionPem.reveal(),
  };
}
