import type { Mode } from "../broker/account.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Login } from "./login.ts";
import type { ProveMode } from "./mode-proof.ts";
import type { Transport } from "./transport.ts";

/** What the session does beyond what is needed; off by default. */
export interface SessionOptions {
  /** Log out on `close`, which frees the user's one brokerage session at once. */
  readonly logoutOnClose?: boolean;
}

/** What a session needs of the outside. */
export interface SessionDeps {
  readonly transport: Transport;
  readonly login: Login;
  readonly proveMode: ProveMode;
  /** What the connection was made for. */
  readonly expectedMode: Mode;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
