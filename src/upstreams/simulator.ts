import { z } from "zod";

import { createIbkrBroker } from "../ibkr/ibkr-broker.ts";
import { prepareConsumer } from "../ibkr/oauth1a.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Upstream } from "./upstream.ts";

const settings = z.object({
  /** `embedded`, or the base URL of a simulator that runs by itself (`http://127.0.0.1:5055/v1/api`). */
  baseUrl: z.union([z.literal("embedded"), z.url({ protocol: /^https?$/ })]),
});

const SECRETS = ["consumerKey", "accessToken", "accessTokenSecret", "dhPrime", "privateSignaturePem", "privateEncryptionPem"] as const;

/** The simulator: a Web API of ours, reached over HTTP with real OAuth 1.0a like IBKR's own. */
export const simulator: Upstream<typeof settings, (typeof SECRETS)[number]> = {
  kind: "simulator",
  title: "Simulator",
  mode: "simulated",
  settings,
  secretFields: SECRETS,
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
  connect: ({ baseUrl: where }, secrets, deps) => {
    const baseUrl = where === "embedded" ? deps.embeddedSimulatorUrl : where;
    if (baseUrl === undefined)
      throw new GatewayError("connection_not_ready", "This connection wants the embedded simulator, which this gateway does not run.", {
        whatToDo: "Start the gateway with its simulator, or give the connection a simulator's URL.",
      });
    const consumer = prepareConsumer({
      consumerKey: secrets.consumerKey.reveal(),
      accessToken: secrets.accessToken.reveal(),
      accessTokenSecret: secrets.accessTokenSecret,
      dhPrime: secrets.dhPrime.reveal(),
      privateSignaturePem: secrets.privateSignaturePem,
      privateEncryptionPem: secrets.privateEncryptionPem,
    });
    const { clock, random, log, fetch } = deps;
    return createIbkrBroker(
      { baseUrl: baseUrl.replace(/\/+$/, ""), consumer, mode: "simulated", clock, random, log, fetch },
      { logoutOnClose: true },
    );
  },
};
