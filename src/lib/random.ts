import { randomBytes } from "node:crypto";

/** Randomness as a parameter, so that tests can repeat a run. */
export interface Random {
  bytes(length: number): Buffer;
}

/** The operating system's cryptographic source. */
export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

/** A random id: `prefix` plus `bytes` random bytes in lower-case hex. */
export function randomId(random: Random, prefix = "", bytes = 12): string {
  return prefix + random.bytes(bytes).toString("hex");
}

/** A repeatable source for simulations and tests (xoshiro128** seeded by a text). Never for secrets. */
export function seededRandom(seed: string): Random & { fraction(): number } {
  let state = seedState(seed);
  const next = (): number => {
    const [a, b, c, d] = state;
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const e = c ^ a;
    const f = d ^ b;
    state = [a ^ f, b ^ e, e ^ (b << 9), rotateLeft(f, 11)];
    return result;
  };
  return {
    fraction: () => next() / 2 ** 32,
    bytes: (length) => {
      const buffer = Buffer.alloc(length);
      for (let index = 0; index < length; index += 1) buffer[index] = next() & 0xff;
      return buffer;
    },
  };
}

type State = readonly [number, number, number, number];

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function seedState(seed: string): State {
  const words = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667].map((initial) => {
    let hash = initial;
    for (let index = 0; index < seed.length; index += 1) {
      hash = Math.imul(hash ^ seed.charCodeAt(index), 0x85ebca6b);
      hash = rotateLeft(hash, 13) ^ (hash >>> 16);
    }
    return hash | 1;
  });
  return [words[0] ?? 1, words[1] ?? 1, words[2] ?? 1, words[3] ?? 1];
}
