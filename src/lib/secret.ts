import { hash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A value that must never be printed: every way of showing it gives `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; call it only where the secret is used. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** SHA-256 as lower-case hex: how high-entropy secrets (keys, tokens) are stored and looked up. */
export function sha256Hex(value: string): string {
  return hash("sha256", value, "hex");
}

/** Compares two texts in time that depends on neither's content. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}
