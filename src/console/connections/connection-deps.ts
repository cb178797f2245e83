import type { ConnectionDraftDeps } from "../../auth/connection-drafts.ts";
import type { ConnectionJournal } from "../../auth/connection-journal.ts";
import type { Connections } from "../../connections/connections.ts";
import type { Log } from "../../lib/log.ts";
import type { ConsoleVisitDeps } from "../console-visits.ts";
import type { LivePlaces } from "../live-places.ts";
import type { ConnectionTests } from "./connection-tests.ts";

export interface ConnectionPagesDeps extends ConsoleVisitDeps, ConnectionDraftDeps {
  readonly connections: Connections;
  readonly tests: ConnectionTests;
  /** Places for pages that are kept current. */
  readonly places: LivePlaces;
  /** Puts what people decide here on record. */
  readonly journal: ConnectionJournal;
  readonly log: Log;
  /** False where the demo may not be: its connection opens nothing. */
  readonly servesDemo: boolean;
  /** Path of the script that keeps pages current. */
  readonly liveScript: string;
}
