import type { CreatedConnection } from "../../../auth/create-connection.ts";
import type { KeyJournal } from "../../../auth/key-journal.ts";
import { withReturnPath } from "../../../pages/return-path.ts";
import { factsOf, type OwnPage } from "../../console-visits.ts";
import type { KeyReveal } from "../../key-reveal.ts";
import type { ConnectionPagesDeps } from "../connection-deps.ts";
import { connectionPath } from "../connection-paths.ts";

export interface SetUpDeps extends ConnectionPagesDeps {
  readonly reveal: KeyReveal;
  /** Puts the default keys of new connections on record. */
  readonly keyJournal: KeyJournal;
}

/** A connection that was made just now, with its default key. */
export interface Created extends OwnPage {
  readonly back: string | undefined;
  readonly made: CreatedConnection;
}

/** Puts it on record, begins its first test and goes on to the page that shows the key this once. */
export async function created(deps: SetUpDeps, { c, user, back, made }: Created): Promise<Response> {
  const { connectionId, key, apiKey, isNew } = made;
  const { userId } = user;
  const facts = factsOf({ c, user });
  const connection = isNew ? await deps.connections.health({ connectionId, userId }) : undefined;
  if (connection !== undefined) deps.journal.note("connection.created", { ...connection, userId }, facts);
  deps.keyJournal.note("apikey.created", apiKey, facts);
  deps.log.info({ event: "connection_created", user_id: userId, connection: connectionId }, "a connection was added");
  deps.tests.begin({ connectionId, userId });
  const path = connectionPath(connectionId, "created");
  c.header("Set-Cookie", deps.reveal.cookieFor({ userId, path }, key));
  return c.redirect(withReturnPath(path, back), 303);
}
