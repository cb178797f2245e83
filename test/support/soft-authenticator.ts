import { createHash, createSign, generateKeyPairSync } from "node:crypto";

import { systemRandom } from "../../src/lib/random.ts";

/** What an authenticator is told, and what it claims; each may be made wrong. */
export interface CeremonyOptions {
  readonly challenge: string;
  readonly origin: string;
  readonly rpId: string;
  readonly counter?: number;
  /** False: the person was there but was not verified. */
  readonly isVerified?: boolean;
  readonly userHandle?: string;
}

/** An authenticator in software: one ES256 key, attestation `none`, replies as `PublicKeyCredential.toJSON()` gives them. */
export interface SoftAuthenticator {
  readonly credentialId: string;
  register(options: CeremonyOptions): object;
  sign(options: CeremonyOptions): object;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

export function softAuthenticator(): SoftAuthenticator {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const id = systemRandom.bytes(16);
  const credentialId = id.toString("base64url");
  const shared = { id: credentialId, rawId: credentialId, type: "public-key", clientExtensionResults: {} };
  // COSE_Key as a CBOR map: kty EC2, alg ES256, curve P-256, x, y (RFC 9053 section 7.1).
  const coseKey = Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
  const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, coseKey]);
  return {
    credentialId,
    register: (options) => {
      const data = authenticatorData(options, HAS_CREDENTIAL, credential);
      // {"fmt": "none", "attStmt": {}, "authData": data}
      const head = Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex");
      const attestationObject = Buffer.concat([head, Buffer.from([data.length]), data]).toString("base64url");
      const clientDataJSON = clientData("webauthn.create", options).toString("base64url");
      return { ...shared, response: { clientDataJSON, attestationObject, transports: ["internal"] } };
    },
    sign: (options) => {
      const data = authenticatorData(options, 0, Buffer.alloc(0));
      const json = clientData("webauthn.get", options);
      const signed = createSign("sha256").update(data).update(createHash("sha256").update(json).digest()).sign(privateKey);
      return {
        ...shared,
        response: {
          clientDataJSON: json.toString("base64url"),
          authenticatorData: data.toString("base64url"),
          signature: signed.toString("base64url"),
          ...(options.userHandle === undefined ? {} : { userHandle: Buffer.from(options.userHandle).toString("base64url") }),
        },
      };
    },
  };
}

/** WebAuthn section 6.1: hash of the RP id, flags, counter, and a new credential. */
function authenticatorData({ rpId, counter = 0, isVerified = true }: CeremonyOptions, flags: number, credential: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(USER_PRESENT | (isVerified ? USER_VERIFIED : 0) | flags);
  head.writeUInt32BE(counter, 1);
  return Buffer.concat([createHash("sha256").update(rpId).digest(), head, credential]);
}

function clientData(type: string, { challenge, origin }: CeremonyOptions): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}
