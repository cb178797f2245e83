import type { Clock } from "../../lib/clock.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import { errorListTexts as texts } from "../../pages/texts/error-list.ts";
import { listAuditFailures } from "../../storage/audit-failures.ts";
import type { Storage } from "../../storage/storage.ts";
import { consoleFrame } from "../console-frame.tsx";
import { type ConsoleVisitDeps, ownPage } from "../console-visits.ts";
import { listNamedConnections } from "../own-connections.tsx";
import { ErrorsPage } from "./errors-page.tsx";

export interface ErrorHandlersDeps extends ConsoleVisitDeps {
  readonly storage: Storage;
  readonly clock: Clock;
}

/** Answers `/console/errors`. */
export interface ErrorHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
}

/** A fortnight: long enough to see what happens again and again. */
const DAYS = 14;
const DAY_MS = 86_400_000;

/** Makes the handlers. */
export function createErrorHandlers(deps: ErrorHandlersDeps): ErrorHandlers {
  return {
    show: ownPage(deps, async ({ user }) => {
      const now = deps.clock.now();
      const since = now - DAYS * DAY_MS;
      return deps.pages.page(
        { ...consoleFrame(texts.title, "errors", user), lead: texts.lead(DAYS) },
        <ErrorsPage
          failures={await listAuditFailures(deps.storage, { userId: user.userId, since })}
          connections={await listNamedConnections(deps.storage, user.userId)}
          days={DAYS}
          from={new Date(since).toISOString().slice(0, 16)}
          now={now}
        />,
      );
    }),
  };
}
