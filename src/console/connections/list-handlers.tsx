import { listDrafts } from "../../auth/connection-drafts.ts";
import type { SignedIn } from "../../auth/sign-in/browser-session.ts";
import { LinkButton } from "../../pages/components/button.tsx";
import { LIVE_PAGE } from "../../pages/content-security.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { countOpenOrders, NO_OPEN_ORDERS } from "../../storage/order-requests.ts";
import { consoleFrame } from "../console-frame.tsx";
import { ownPage } from "../console-visits.ts";
import { liveParts } from "../live-parts.ts";
import { leavingNotice } from "../orders/leaving-orders.tsx";
import { ownStream } from "../own-stream.ts";
import { cardId, ConnectionCard, type ConnectionCardProps } from "./connection-card.tsx";
import type { ConnectionPagesDeps } from "./connection-deps.ts";
import { setUpPath } from "./connection-paths.ts";
import { ConnectionsPage } from "./connections-page.tsx";
import { SaidNotice } from "./said-notice.tsx";

/** Answers the list of connections and what keeps it current. */
export interface ConnectionListHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly events: (c: PageRequest) => Promise<Response>;
}

/** A page on which something is going on loads itself again this often, where no script runs. */
export const RELOAD_SECONDS = 2;

/** Makes the handlers. Neither asks any broker. */
export function createConnectionListHandlers(deps: ConnectionPagesDeps): ConnectionListHandlers {
  const { connections, tests, clock } = deps;
  return {
    show: ownPage(deps, async ({ c, user }) => {
      const [cards, drafts] = await Promise.all([cardsOf(deps, user), listDrafts(deps, user.userId)]);
      const left = await leavingNotice(deps.storage, { c, user });
      const isTesting = cards.some(({ test }) => test !== undefined && test.finishedAt === undefined);
      return deps.pages.page(
        {
          ...consoleFrame(texts.title, "connections", user),
          lead: cards.length === 0 ? undefined : texts.lead,
          actions:
            cards.length === 0 ? undefined : (
              <LinkButton kind="primary" href={setUpPath()}>
                {texts.add}
              </LinkButton>
            ),
          scripts: [deps.liveScript],
          reloadSeconds: isTesting ? RELOAD_SECONDS : undefined,
        },
        <>
          <SaidNotice c={c} />
          {left}
          <ConnectionsPage
            cards={cards}
            drafts={drafts
              .filter(({ rotates }) => rotates === undefined)
              .map(({ draftId, label, offer, mode, updatedAt }) => ({ draftId, label, title: offer.title, mode, updatedAt }))}
            now={clock.now()}
            formToken={user.formToken}
          />
        </>,
        { csp: LIVE_PAGE },
      );
    }),
    events: ownStream(deps, async ({ c, user }) => {
      const shown = (await cardsOf(deps, user)).map(({ health }) => health.connectionId);
      const giveBack = deps.places.reserve(user.userId);
      if (giveBack === undefined) return c.json({ error: "Too many pages are open." }, 429);
      return liveParts(c, deps, {
        subscribe: (changed) => {
          const stops = [connections.onChange(user.userId, changed), tests.onChange(user.userId, changed), giveBack];
          return () => stops.forEach((stop) => stop());
        },
        draw: async () => {
          const cards = await cardsOf(deps, user);
          const isOther = cards.length !== shown.length || cards.some(({ health }, index) => health.connectionId !== shown[index]);
          if (isOther) return undefined;
          return cards.map((card) => ({ id: cardId(card.health.connectionId), content: <ConnectionCard {...card} /> }));
        },
      });
    }),
  };
}

async function cardsOf(deps: ConnectionPagesDeps, { userId, formToken }: SignedIn): Promise<readonly ConnectionCardProps[]> {
  const now = deps.clock.now();
  const mcpUrl = `${deps.publicUrl()}/mcp`;
  const { servesDemo, tests } = deps;
  const [all, open] = await Promise.all([deps.connections.healthOfAll(userId), countOpenOrders(deps.storage.db, userId)]);
  return all.map((health) => {
    const test = tests.latest({ connectionId: health.connectionId, userId });
    return { health, test, now, formToken, mcpUrl, servesDemo, openOrders: open.get(health.connectionId) ?? NO_OPEN_ORDERS };
  });
}
