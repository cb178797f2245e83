import type { Secret } from "../../../lib/secret.ts";
import type { PageRequest } from "../../../pages/page-env.ts";
import { withReturnPath } from "../../../pages/return-path.ts";
import type { KeyReveal } from "../../key-reveal.ts";
import type { ConnectionPagesDeps } from "../connection-deps.ts";
import { connectionPath } from "../connection-paths.ts";

export interface SetUpDeps extends ConnectionPagesDeps {
  readonly reveal: KeyReveal;
}

/** A connection that was made just now, with its default key. */
export interface Created {
  readonly c: PageRequest;
  readonly userId: string;
  readonly back: string | undefined;
  readonly made: { readonly connectionId: string; readonly key: Secret };
}

/** Begins its first test and goes on to the page that shows the key this once. */
export function created(deps: SetUpDeps, { c, userId, back, made }: Created): Response {
  const { connectionId, key } = made;
  deps.log.info({ event: "connection_created", user_id: userId, connection: connectionId }, "a connection was added");
  deps.tests.begin({ connectionId, userId });
  const path = connectionPath(connectionId, "created");
  c.header("Set-Cookie", deps.reveal.cookieFor({ userId, path }, key));
  return c.redirect(withReturnPath(path, back), 303);
}
