import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { Storage } from "../../storage/storage.ts";

/** What the parts of sign-in work with. */
export interface SignInDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** The gateway's own origin; known once it listens. */
  readonly publicUrl: () => string;
}
