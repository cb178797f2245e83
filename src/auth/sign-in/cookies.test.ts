import { describe, expect, it } from "vitest";

import { systemRandom } from "../../lib/random.ts";
import { createCookieJar, derivedFrom, formTokenOf, newCookieSecret } from "./cookies.ts";

const A = "A".repeat(43);
const B = "B".repeat(43);

describe("the cookies", () => {
  it("(24) carry __Host- and Secure on https only, HttpOnly and SameSite=Lax always", () => {
    expect(createCookieJar(true).setSession(A, 60_000)).toBe(
      `__Host-ibkr_session=${A}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure`,
    );
    expect(createCookieJar(false).setVisitor(A)).toBe(`ibkr_visitor=${A}; Path=/; HttpOnly; SameSite=Lax`);
    expect(createCookieJar(true).clearSession()).toBe("__Host-ibkr_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure");
  });

  it("are read among others, and not at all when they are damaged or doubled", () => {
    const jar = createCookieJar(false);
    expect(jar.session(`theme=dark; ibkr_session=${A}; x=1`)).toBe(A);
    for (const header of [
      undefined,
      "",
      "ibkr_session=short",
      `ibkr_session=${A}; ibkr_session=${B}`,
      `xibkr_session=${A}`,
      `__Host-ibkr_session=${A}`,
    ]) {
      expect(jar.session(header), header).toBeUndefined();
    }
    expect(jar.session(`a=${"x".repeat(20_000)}; ibkr_session=${A}`)).toBeUndefined();
  });

  it("hold 256 random bits, from which form tokens follow but not the other way round", () => {
    const secret = newCookieSecret(systemRandom);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(newCookieSecret(systemRandom)).not.toBe(secret);
    expect(formTokenOf(secret)).toBe(formTokenOf(secret));
    expect(formTokenOf(secret)).not.toBe(formTokenOf(A));
    expect(derivedFrom(secret, "nonce x")).not.toBe(derivedFrom(secret, "verifier x"));
  });
});
