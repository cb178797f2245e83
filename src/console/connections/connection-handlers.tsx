import type { ConnectionEvent } from "../../auth/connection-journal.ts";
import { LIVE_PAGE } from "../../pages/content-security.ts";
import { PlainName } from "../../pages/components/plain-name.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { plainText } from "../../lib/plain-text.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { renameConnection } from "../../storage/connection-label.ts";
import { countOpenOrders, NO_OPEN_ORDERS } from "../../storage/order-requests.ts";
import { consoleFrame } from "../console-frame.tsx";
import { factsOf, type FormPlace, ownForm, type OwnForm, ownPage, type OwnPage, typedBefore } from "../console-visits.ts";
import { liveParts } from "../live-parts.ts";
import { leavingNotice, leavingQuery } from "../orders/leaving-orders.tsx";
import { ownStream } from "../own-stream.ts";
import { ConnectionBadges } from "./connection-card.tsx";
import type { ConnectionPagesDeps } from "./connection-deps.ts";
import { MAX_LABEL_LENGTH, readLabel } from "./connection-label.ts";
import { ConnectionPage, type ConnectionPageProps, STATE_ID, StatePart } from "./connection-page.tsx";
import { CONNECTIONS_PATH, connectionPath } from "./connection-paths.ts";
import { RELOAD_SECONDS } from "./list-handlers.tsx";
import { activeFromOf, countCallers, type OwnConnection, withOwnConnection } from "./own-connection.ts";
import { SaidNotice } from "./said-notice.tsx";

type Answer = (c: PageRequest) => Promise<Response>;

/** Answers the page of one connection, what keeps it current, and its switches. */
export interface ConnectionHandlers {
  readonly show: Answer;
  readonly events: Answer;
  readonly test: Answer;
  readonly rename: Answer;
  readonly pause: Answer;
  readonly resume: Answer;
  readonly keepWarm: Answer;
}

/** Makes the handlers. The page asks no broker; only a test does. */
export function createConnectionHandlers(deps: ConnectionPagesDeps): ConnectionHandlers {
  const { connections, tests, log } = deps;
  const act = (event: string, change: (form: OwnForm, own: OwnConnection) => Promise<Change>): Answer =>
    ownForm(deps, PLACE, (form) =>
      withOwnConnection(deps, form, async (own) => {
        const { said, noted, left = "" } = await change(form, own);
        if (noted !== undefined) deps.journal.note(noted, { ...own.health, ...own.ref }, factsOf(form));
        log.info({ event: `connection_${event}`, user_id: own.ref.userId, connection: own.ref.connectionId }, "a connection was changed");
        const page = form.fields.get("from") === "list" ? CONNECTIONS_PATH : connectionPath(own.ref.connectionId);
        return form.c.redirect(said === "" ? page : `${page}?said=${said}${left}`, 303);
      }),
    );
  return {
    show: ownPage(deps, (page) => withOwnConnection(deps, page, (own) => showConnection(deps, page, own, {}))),
    events: ownStream(deps, (page) => withOwnConnection(deps, page, (own) => Promise.resolve(showChanges(deps, page, own)))),
    test: act("tested", (_form, { ref }) => {
      tests.begin(ref);
      return Promise.resolve({ said: "", noted: undefined });
    }),
    rename: ownForm(deps, { ...PLACE, keeps: ["label"] }, (form) =>
      withOwnConnection(deps, form, async (own) => {
        const typed = form.fields.get("label") ?? "";
        const label = readLabel(typed);
        if (label === undefined) return await showConnection(deps, form, own, { rename: { typed, error: texts.rename.wrong } });
        await renameConnection(deps.storage, own.ref, label);
        if (label !== own.health.label) {
          const summary = `${own.health.label} → ${label}`;
          deps.journal.note("connection.renamed", { ...own.health, ...own.ref, label }, { ...factsOf(form), summary });
        }
        // The live link tells its name to models.
        await connections.forget(own.ref.connectionId);
        return form.c.redirect(`${connectionPath(own.ref.connectionId)}?said=renamed`, 303);
      }),
    ),
    pause: act("paused", async (_form, { ref, health }) => {
      await connections.pause(ref);
      const left = await leavingQuery(deps.storage, ref.userId, { connectionId: ref.connectionId });
      return { said: "paused", noted: health.pausedAt === undefined ? "connection.paused" : undefined, left };
    }),
    resume: act("resumed", async (_form, { ref, health }) => {
      await connections.resume(ref);
      return { said: "resumed", noted: health.pausedAt === undefined ? undefined : "connection.resumed" };
    }),
    keepWarm: act("keep_warm", async ({ fields }, { ref, health }) => {
      const isOn = fields.get("keep_warm") === "on";
      await connections.setKeepWarm(ref, isOn);
      const event = isOn ? "connection.kept_open" : "connection.opens_on_demand";
      return { said: isOn ? "warm" : "cold", noted: health.keepWarm === isOn ? undefined : event };
    }),
  };
}

/** What a switch did. */
interface Change {
  /** What the next page says, by its key; empty for nothing. */
  readonly said: string;
  /** What goes on record; undefined when it was so already. */
  readonly noted: ConnectionEvent | undefined;
  /** Orders that left before it, for the next page's address. */
  readonly left?: string;
}

/** Forms of a connection stand on its page. */
const PLACE: FormPlace = { page: (c) => connectionPath(c.req.param("connection") ?? "") };

/** Shows a connection's page; 422 when what was typed as its name can't be used. */
async function showConnection(
  deps: ConnectionPagesDeps,
  { c, user }: OwnPage,
  own: OwnConnection,
  shown: Pick<ConnectionPageProps, "rename">,
): Promise<Response> {
  const { health } = own;
  const typed = typedBefore(c, "label");
  const props = await propsOf(deps, { c, user }, own);
  const left = await leavingNotice(deps.storage, { c, user });
  const rename = shown.rename ?? (typed === undefined ? undefined : { typed, error: undefined });
  return deps.pages.page(
    {
      ...consoleFrame(plainText(health.label, MAX_LABEL_LENGTH), "connections", user),
      back: { href: CONNECTIONS_PATH, label: texts.title },
      heading: (
        <>
          <PlainName value={health.label} />
          <span class="page-badges">
            <ConnectionBadges health={health} />
          </span>
        </>
      ),
      scripts: [deps.liveScript],
      reloadSeconds: props.test !== undefined && props.test.finishedAt === undefined ? RELOAD_SECONDS : undefined,
    },
    <>
      <SaidNotice c={c} />
      {left}
      <ConnectionPage {...props} rename={rename} />
    </>,
    { csp: LIVE_PAGE, status: shown.rename?.error === undefined ? 200 : 422 },
  );
}

async function propsOf(deps: ConnectionPagesDeps, { user }: OwnPage, { ref, health }: OwnConnection): Promise<ConnectionPageProps> {
  const offer = offerOf(deps, health.kind);
  return {
    health,
    test: deps.tests.latest(ref),
    now: deps.clock.now(),
    formToken: user.formToken,
    mcpUrl: `${deps.publicUrl()}/mcp`,
    servesDemo: deps.servesDemo,
    kindTitle: offer?.title ?? health.kind,
    hasCredentials: !health.isDemo && (offer?.steps.length ?? 0) > 0,
    openOrders: (await countOpenOrders(deps.storage.db, ref.userId)).get(ref.connectionId) ?? NO_OPEN_ORDERS,
    activeFrom: await activeFromOf(deps, ref, health),
    ...(await countCallers(deps, ref)),
  };
}

/** The offer of a connection's kind. */
function offerOf({ offers }: Pick<ConnectionPagesDeps, "offers">, kind: string): ConnectionPagesDeps["offers"][number] | undefined {
  return offers.find((offer) => offer.kind === kind);
}

function showChanges(deps: ConnectionPagesDeps, page: OwnPage, { ref }: OwnConnection): Response {
  const { connections, tests } = deps;
  const giveBack = deps.places.reserve(ref.userId);
  if (giveBack === undefined) return page.c.json({ error: "Too many pages are open." }, 429);
  return liveParts(page.c, deps, {
    subscribe: (changed) => {
      const stops = [connections.onChange(ref.userId, changed), tests.onChange(ref.userId, changed), giveBack];
      return () => stops.forEach((stop) => stop());
    },
    draw: async () => {
      const health = await connections.health(ref);
      if (health === undefined) return undefined;
      return [{ id: STATE_ID, content: <StatePart {...await propsOf(deps, page, { ref, health })} /> }];
    },
  });
}
