import { isIPv6 } from "node:net";

import type { Clock } from "../../lib/clock.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { clearThrottle, countThrottledUse, deleteFreeThrottles, forgiveThrottledUse } from "../../storage/sign-in-throttles.ts";
import type { Storage } from "../../storage/storage.ts";

/** Slows down guessing, per account and per address, on all nodes together. */
export interface SignInThrottle {
  /** Counts a try before it is checked. Answers 0, or the seconds to wait when there were too many. */
  count(tries: SignInTry): Promise<number>;
  /** Takes a try back that turned out right, and forgives the account's earlier ones. */
  succeeded(tries: SignInTry): Promise<void>;
}

/** Whose sign-in is tried, and from where. */
export interface SignInTry {
  /** Undefined where no account is named, as with a passkey: then only the address counts. */
  readonly loginName: string | undefined;
  readonly address: string | undefined;
}

/** Ten wrong passwords in a row, then one more each half minute: under 3,000 a day for one account. */
const ACCOUNT = { costMs: 30_000, allowanceMs: 300_000 };
/** A hundred failures in a row, then one each two seconds: whole offices share an address. */
const ADDRESS = { costMs: 2_000, allowanceMs: 200_000 };
const PRUNE_EVERY_MS = 600_000;

/** Makes the throttle. Rows say nothing once their time is over and are deleted then, so that failures alone bound the table. */
export function createSignInThrottle({ storage, clock }: { readonly storage: Storage; readonly clock: Clock }): SignInThrottle {
  let prunedAt = clock.now();
  const keysOf = ({ loginName, address }: SignInTry) => [
    { keyHash: sha256Hex(`address:${networkOf(address)}`), ...ADDRESS },
    ...(loginName === undefined ? [] : [{ keyHash: sha256Hex(`account:${loginName}`), ...ACCOUNT }]),
  ];
  return {
    count: async (tries) => {
      const now = clock.now();
      if (prunedAt <= now - PRUNE_EVERY_MS) {
        prunedAt = now;
        await deleteFreeThrottles(storage, now);
      }
      for (const key of keysOf(tries)) {
        const waitMs = await countThrottledUse(storage, { ...key, now });
        if (waitMs > 0) return Math.ceil(waitMs / 1_000);
      }
      return 0;
    },
    succeeded: async (tries) => {
      const [address, account] = keysOf(tries);
      if (address !== undefined) await forgiveThrottledUse(storage, address.keyHash, address.costMs);
      if (account !== undefined) await clearThrottle(storage, account.keyHash);
    },
  };
}

/** One IPv6 customer has at least a /64; an IPv4 address stands for itself. */
function networkOf(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? "unknown";
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...(tail === undefined ? [] : middle), ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, "").toLowerCase())
    .join(":");
}
