import { argon2, timingSafeEqual } from "node:crypto";

import type { Random } from "../../lib/random.ts";
import { systemRandom } from "../../lib/random.ts";

/** What one hash costs. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** Hashes passwords and checks them. */
export interface PasswordHasher {
  /** Answers `$argon2id$v=19$m=…,t=…,p=1$salt$hash`. */
  hash(password: string): Promise<string>;
  /** Checks against a stored hash. With none, for an unknown user, it takes the same time and answers false. */
  verify(password: string, stored: string | undefined): Promise<PasswordCheck>;
}

/** What a check gave; `outdated` asks for a new hash at today's cost. */
export interface PasswordCheck {
  readonly matches: boolean;
  readonly outdated: boolean;
}

/** Thrown when more people sign in at once than hashes can be computed for. */
export class PasswordsBusyError extends Error {
  override readonly name = "PasswordsBusyError";
}

/** Above OWASP's least for argon2id (19 MiB, 2 passes); some 80 ms on a small server. */
const COST: PasswordCost = { memoryKib: 32_768, passes: 2 };
/** Hashes computed at once: each takes a core and its memory. */
const MAX_RUNNING = 2;
/** Most that wait; at some 25 hashes a second these are through in four seconds. */
const MAX_WAITING = 100;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const STORED = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,128})$/;

/** Makes the hasher. `cost` is for tests, and for measuring. */
export function createPasswordHasher({
  random = systemRandom,
  cost = COST,
}: { random?: Random; cost?: PasswordCost } = {}): PasswordHasher {
  const turns = createTurns();
  // The hash of nobody's password: checked in place of one that isn't there.
  const nobody = { cost, salt: Buffer.alloc(SALT_BYTES), tag: Buffer.alloc(TAG_BYTES) };
  return {
    hash: (password) =>
      turns(async () => {
        const salt = random.bytes(SALT_BYTES);
        const tag = await compute(password, { cost, salt, length: TAG_BYTES });
        return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=1$${unpadded(salt)}$${unpadded(tag)}`;
      }),
    verify: (password, stored) =>
      turns(async () => {
        const known = stored === undefined ? undefined : parseStored(stored);
        const against = known ?? nobody;
        const tag = await compute(password, { cost: against.cost, salt: against.salt, length: against.tag.length });
        const matches = timingSafeEqual(tag, against.tag) && known !== undefined;
        return { matches, outdated: against.cost.memoryKib !== cost.memoryKib || against.cost.passes !== cost.passes };
      }),
  };
}

function compute(
  password: string,
  { cost, salt, length }: { readonly cost: PasswordCost; readonly salt: Buffer; readonly length: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parameters = {
      // The same characters can be typed as different code points.
      message: password.normalize("NFKC"),
      nonce: salt,
      parallelism: 1,
      tagLength: length,
      memory: cost.memoryKib,
      passes: cost.passes,
    };
    argon2("argon2id", parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}

function parseStored(stored: string): { cost: PasswordCost; salt: Buffer; tag: Buffer } {
  const [, memory, passes, salt = "", tag = ""] = STORED.exec(stored) ?? [];
  if (memory === undefined || passes === undefined) throw new Error("a stored password hash has an unknown form");
  return {
    cost: { memoryKib: Number(memory), passes: Number(passes) },
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

/** Lets two run at once and a hundred wait, in the order they came. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= MAX_RUNNING) {
      if (waiting.length >= MAX_WAITING) throw new PasswordsBusyError("too many people sign in at once");
      // Whoever ends hands its place on, so that `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
