import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { Secret } from "../lib/secret.ts";
import { createSealer, parseSealingKey, type SealedPlace } from "./sealing.ts";

const key = Buffer.alloc(32, 7);
const sealer = createSealer({ key, keyId: "k1" });
const place: SealedPlace = { table: "connections", column: "sealed_secrets", rowId: "con_1", userId: "usr_1" };

describe("a sealed value", () => {
  it("opens in its own place, whatever the text", () => {
    assert(
      property(string({ maxLength: 300 }), (text) => {
        const wide = `${text.toWellFormed()} €𝄞\0`;
        expect(sealer.unseal(sealer.seal(wide, place), place)).toBe(wide);
      }),
    );
  });

  it("is different each time, and shows nothing of the text", () => {
    const [first, second] = [sealer.seal("access token secret", place), sealer.seal("access token secret", place)];
    expect(first).not.toBe(second);
    expect(first).toMatch(/^v1\.k1\.[\w-]{16}\.[\w-]+$/);
    expect(Buffer.from(first).toString("latin1")).not.toContain("access");
  });

  it.each([
    ["another row", { ...place, rowId: "con_2" }],
    ["another user", { ...place, userId: "usr_2" }],
    ["another column", { ...place, column: "settings" }],
    ["another table", { ...place, table: "users" }],
    ["names that run together the same way", { ...place, table: "connectionssealed", column: "_secrets" }],
  ])("does not open in %s", (_name, elsewhere) => {
    expect(() => sealer.unseal(sealer.seal("secret", place), elsewhere)).toThrow("does not open here");
  });

  it("does not open when any one character was changed", () => {
    const sealed = sealer.seal("secret", place);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice(0, index) + (sealed[index] === "A" ? "B" : "A") + sealed.slice(index + 1);
      // The last characters of base64url carry bits that decode to nothing; such a text is the same value.
      if (sameBytes(sealed, changed)) continue;
      expect(() => sealer.unseal(changed, place)).toThrow(/sealed value/);
    }
  });

  it("does not open when its end was cut off: a shorter tag would be easier to forge", () => {
    const sealed = sealer.seal("secret", place);
    for (const length of [sealed.length - 6, sealed.length - 20, sealed.lastIndexOf(".") + 5, 3, 0]) {
      expect(() => sealer.unseal(sealed.slice(0, length), place)).toThrow(/sealed value/);
    }
  });

  it("names the key when it was sealed under another one", () => {
    const sealed = sealer.seal("secret", place);
    const later = createSealer({ key: Buffer.alloc(32, 8), keyId: "k2" });
    expect(() => later.unseal(sealed, place)).toThrow("another key than the present one (k2)");
    const impostor = createSealer({ key: Buffer.alloc(32, 8), keyId: "k1" });
    expect(() => impostor.unseal(sealed, place)).toThrow("does not open here");
  });

  it("is never part of an error", () => {
    assert(
      property(string({ minLength: 12, maxLength: 60 }), (text) => {
        try {
          sealer.unseal(`v1.k1.AAAAAAAAAAAAAAAA.${Buffer.from(text.padEnd(40)).toString("base64url")}`, place);
        } catch (error) {
          expect(String(error)).not.toContain(text);
        }
      }),
    );
  });
});

describe("a sealing key", () => {
  it.each([
    ["hex", key.toString("hex")],
    ["base64", `${key.toString("base64")}\n`],
    ["base64url", key.toString("base64url")],
  ])("is read from %s", (_form, text) => {
    expect(parseSealingKey(new Secret(text))).toEqual(key);
    const same = createSealer({ key: new Secret(text), keyId: "k1" });
    expect(same.unseal(sealer.seal("x", place), place)).toBe("x");
  });

  it.each(["", "short", "g".repeat(64), Buffer.alloc(31).toString("base64"), Buffer.alloc(33).toString("hex")])(
    "is refused without being shown when it is %j",
    (text) => {
      expect(() => parseSealingKey(new Secret(text))).toThrow(
        "a sealing key is 32 bytes in base64 or hex (make one with: openssl rand -base64 32)",
      );
    },
  );

  it("is refused with a wrong length or id", () => {
    expect(() => createSealer({ key: Buffer.alloc(16), keyId: "k1" })).toThrow("32 bytes");
    expect(() => createSealer({ key, keyId: "a.b" })).toThrow("id");
  });
});

function sameBytes(a: string, b: string): boolean {
  return bytesOf(a) === bytesOf(b);
}

function bytesOf(sealed: string): string {
  return sealed
    .split(".")
    .map((part, index) => (index < 2 ? part : Buffer.from(part, "base64url").toString("hex")))
    .join(".");
}
