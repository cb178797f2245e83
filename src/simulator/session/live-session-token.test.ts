import { describe, expect, test } from "vitest";

import { DIFFIE_HELLMAN_GENERATOR, deriveLiveSessionToken, powerModulo, signLiveSessionToken } from "./live-session-token.ts";
import vectors from "./oauth.vectors.json" with { type: "json" };

const prime = BigInt(`0x${vectors.dh_prime}`);
const secret = Buffer.from(vectors.prepend_hex, "hex");

describe.each(Object.entries(vectors.lst_cases))("a shared secret of the kind %s", (_name, vector) => {
  const ours = BigInt(`0x${vector.b}`);

  test("answers the challenge with the generator to the power of our exponent", () => {
    expect(powerModulo(DIFFIE_HELLMAN_GENERATOR, ours, prime).toString(16)).toBe(vector.diffie_hellman_response);
  });

  test("gives the known Live Session Token and its signature", () => {
    const shared = powerModulo(BigInt(`0x${vector.diffie_hellman_challenge}`), ours, prime);
    expect(shared.toString(2)).toHaveLength(vector.K_bit_length);
    const token = deriveLiveSessionToken(shared, secret);
    expect(token.toString("base64")).toBe(vector.live_session_token);
    expect(signLiveSessionToken(token, vectors.consumer_key)).toBe(vector.live_session_token_signature);
  });
});
