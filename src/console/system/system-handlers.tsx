import type { Connections } from "../../connections/connections.ts";
import type { Clock } from "../../lib/clock.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import { systemTexts as texts } from "../../pages/texts/system.ts";
import type { Storage } from "../../storage/storage.ts";
import { readSystemFigures } from "../../storage/system-figures.ts";
import { countPeople, listUserOverviews } from "../../storage/users.ts";
import { consoleFrame } from "../console-frame.tsx";
import { type ConsoleVisitDeps, nothingHere, type OwnPage, ownPage } from "../console-visits.ts";
import { SystemPage, type SystemSettings } from "./system-page.tsx";

export interface SystemHandlersDeps extends ConsoleVisitDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly connections: Pick<Connections, "linkStates">;
  /** The audit log's own figures. */
  readonly audit: { readonly queued: number; readonly lost: number };
  readonly settings: SystemSettings;
}

/** Answers `/console/system`: for those who run the gateway; nobody else learns that it exists. */
export interface SystemHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
}

/** Users on one page. */
const PAGE_USERS = 100;
const PATH = "/console/system";

/** Makes the handlers. */
export function createSystemHandlers(deps: SystemHandlersDeps): SystemHandlers {
  return { show: ownPage(deps, (page) => showSystem(deps, page)) };
}

async function showSystem(deps: SystemHandlersDeps, page: OwnPage): Promise<Response> {
  const { storage, clock, pages, publicUrl, settings } = deps;
  const { c, user } = page;
  if (!user.isOperator) return nothingHere(deps, page);
  const asked = c.req.query("after") ?? "";
  const offset = /^\d{1,7}$/.test(asked) ? Number(asked) : 0;
  const now = clock.now();
  const askedAt = clock.monotonic();
  const people = await countPeople(storage);
  const databaseMs = clock.monotonic() - askedAt;
  const users = await listUserOverviews(storage, { offset, limit: PAGE_USERS + 1 });
  return pages.page(
    { ...consoleFrame(texts.title, "settings", user), lead: texts.lead, back: { href: "/account", label: texts.back } },
    <SystemPage
      settings={settings}
      publicUrl={publicUrl()}
      databaseMs={databaseMs}
      audit={deps.audit}
      figures={await readSystemFigures(storage, now)}
      links={deps.connections.linkStates()}
      users={users.slice(0, PAGE_USERS)}
      people={people}
      userId={user.userId}
      next={users.length > PAGE_USERS ? `${PATH}?after=${offset + PAGE_USERS}` : undefined}
      now={now}
    />,
  );
}
