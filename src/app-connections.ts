import type { Config } from "./config.ts";
import { createConnectedApps } from "./auth/connected-apps.ts";
import { createKeyJournal } from "./auth/key-journal.ts";
import { type ConfirmHandlersDeps, createConfirmHandlers } from "./console/connections/confirm-handlers.tsx";
import { createConnectionHandlers } from "./console/connections/connection-handlers.tsx";
import { createConnectionTests } from "./console/connections/connection-tests.ts";
import { createConnectionListHandlers } from "./console/connections/list-handlers.tsx";
import { createChooseHandlers } from "./console/connections/set-up/choose-handlers.tsx";
import { createCreatedHandler } from "./console/connections/set-up/created-handlers.tsx";
import { createStepHandlers } from "./console/connections/set-up/step-handlers.tsx";
import { createKeyReveal } from "./console/key-reveal.ts";
import { createLivePlaces } from "./console/live-places.ts";
import type { ConnectionPageHandlers } from "./http/routes.ts";
import { KeyedLock } from "./lib/keyed-lock.ts";
import type { AuditWriter } from "./storage/audit-writer.ts";

/** What the pages work with, less what is made here. */
export interface ConnectionPagesParts extends Omit<ConfirmHandlersDeps, "tests" | "places" | "servesDemo" | "lock" | "forget" | "apps"> {
  readonly audit: AuditWriter;
}

const DAY_MS = 86_400_000;
/** Pages that one person keeps open, and those of all: each is drawn anew at each change, from some queries of our own. */
const PLACES = { maxOfUser: 8, maxOfAll: 256 };

/** Wires the console's pages about connections. */
export function createConnectionPages(config: Config, parts: ConnectionPagesParts): ConnectionPageHandlers {
  const { connections, publicUrl } = parts;
  const deps = {
    ...parts,
    tests: createConnectionTests(parts),
    places: createLivePlaces(PLACES),
    apps: createConnectedApps({ ...parts, unusedLimitMs: config.grantUnusedDays * DAY_MS }),
    servesDemo: config.demo,
    lock: new KeyedLock<string>(),
    forget: (connectionId: string) => connections.forget(connectionId),
    keyJournal: createKeyJournal(parts.audit, () => parts.clock.now()),
    reveal: createKeyReveal(parts, () => publicUrl().startsWith("https:")),
  };
  return {
    list: createConnectionListHandlers(deps),
    connection: createConnectionHandlers(deps),
    confirm: createConfirmHandlers(deps),
    choose: createChooseHandlers(deps),
    step: createStepHandlers(deps),
    created: createCreatedHandler(deps),
  };
}
