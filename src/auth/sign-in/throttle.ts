import { isIPv6 } from "node:net";

import type { Clock } from "../../lib/clock.ts";
import { sha256Hex } from "../../lib/secret.ts";
import {
  clearThrottle,
  countThrottledUse,
  deleteFreeThrottles,
  forgiveThrottledUse,
  hasThrottleMark,
  keepThrottleMark,
} from "../../storage/sign-in-throttles.ts";
import type { Storage } from "../../storage/storage.ts";

/** Slows down guessing, per account and per address, on all nodes together. */
export interface SignInThrottle {
  /** Counts a try before it is checked. Answers 0, or the seconds to wait when there were too many. */
  count(tries: SignInTry): Promise<number>;
  /** Takes a try back that turned out right, forgives the account's earlier ones, and remembers the place. */
  succeeded(tries: SignInTry): Promise<void>;
  /** Remembers where somebody proved who they are: what strangers try elsewhere does not keep them out there. */
  remember(tries: SignInTry): Promise<void>;
}

/** Whose sign-in is tried, and from where. */
export interface SignInTry {
  /** Undefined where no account is named, as with a passkey: then only the address counts. */
  readonly loginName: string | undefined;
  readonly address: string | undefined;
}

/** Ten wrong passwords in a row, then one more each half minute: under 3,000 a day for one account, and for each place that is its owner's. */
const ACCOUNT = { costMs: 30_000, allowanceMs: 300_000 };
/** A hundred failures in a row, then one each two seconds: whole offices share an address. */
const ADDRESS = { costMs: 2_000, allowanceMs: 200_000 };
/** How long a place is remembered after the last sign-in there. */
const PLACE_MS = 30 * 86_400_000;
const PRUNE_EVERY_MS = 600_000;

/** Makes the throttle. Rows say nothing once their time is over and are deleted then, so that failures alone bound the table. */
export function createSignInThrottle({ storage, clock }: { readonly storage: Storage; readonly clock: Clock }): SignInThrottle {
  let prunedAt = clock.now();
  const addressKey = (address: string | undefined) => ({ keyHash: sha256Hex(`address:${networkOf(address)}`), ...ADDRESS });
  const placeOf = (loginName: string, address: string | undefined) => sha256Hex(`place:${networkOf(address)} ${loginName}`);
  // An account has one limit for all strangers together, and one of its own for each place where its owner signs in.
  const accountKey = async (loginName: string, address: string | undefined) => {
    const isKnown = await hasThrottleMark(storage, placeOf(loginName, address), clock.now());
    return { keyHash: sha256Hex(isKnown ? `account:${loginName} at ${networkOf(address)}` : `account:${loginName}`), ...ACCOUNT };
  };
  const remember: SignInThrottle["remember"] = async ({ loginName, address }) => {
    if (loginName !== undefined) await keepThrottleMark(storage, placeOf(loginName, address), clock.now() + PLACE_MS);
  };
  return {
    count: async ({ loginName, address }) => {
      const now = clock.now();
      if (prunedAt <= now - PRUNE_EVERY_MS) {
        prunedAt = now;
        await deleteFreeThrottles(storage, now);
      }
      const addressWaitMs = await countThrottledUse(storage, { ...addressKey(address), now });
      if (addressWaitMs > 0 || loginName === undefined) return Math.ceil(addressWaitMs / 1_000);
      return Math.ceil((await countThrottledUse(storage, { ...(await accountKey(loginName, address)), now })) / 1_000);
    },
    succeeded: async ({ loginName, address }) => {
      const { keyHash, costMs } = addressKey(address);
      await forgiveThrottledUse(storage, keyHash, costMs);
      if (loginName === undefined) return;
      await clearThrottle(storage, (await accountKey(loginName, address)).keyHash);
      await remember({ loginName, address });
    },
    remember,
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
