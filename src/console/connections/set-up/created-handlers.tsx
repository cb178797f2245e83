import { ConnectionBadges } from "../connection-card.tsx";
import { LIVE_PAGE } from "../../../pages/content-security.ts";
import { PlainName } from "../../../pages/components/plain-name.tsx";
import type { PageRequest } from "../../../pages/page-env.ts";
import { returnPath } from "../../../pages/return-path.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { consoleFrame } from "../../console-frame.tsx";
import { ownPage } from "../../console-visits.ts";
import { connectionPath } from "../connection-paths.ts";
import { RELOAD_SECONDS } from "../list-handlers.tsx";
import { activeFromOf, duplicatesOf, withOwnConnection } from "../own-connection.ts";
import { CreatedPage } from "./created-page.tsx";
import type { SetUpDeps } from "./finished.ts";

/** Makes the handler of the page that follows a set-up: the key this once, and the first test as it goes. */
export function createCreatedHandler(deps: SetUpDeps): (c: PageRequest) => Promise<Response> {
  return ownPage(deps, (page) =>
    withOwnConnection(deps, page, async ({ ref, health }) => {
      const { c, user } = page;
      const place = { userId: ref.userId, path: connectionPath(ref.connectionId, "created") };
      const key = deps.reveal.read(place, c.req.header("cookie"));
      const test = deps.tests.latest(ref);
      return deps.pages.page(
        {
          ...consoleFrame(texts.createdTitle, "connections", user),
          width: "narrow",
          scripts: [deps.liveScript],
          // Without script the key would be gone with the first reload: the person goes on by themselves.
          reloadSeconds: key === undefined && test !== undefined && test.finishedAt === undefined ? RELOAD_SECONDS : undefined,
          heading: (
            <>
              <PlainName value={health.label} /> {texts.created}
              <span class="page-badges">
                <ConnectionBadges health={health} />
              </span>
            </>
          ),
        },
        <CreatedPage
          health={health}
          test={test}
          now={deps.clock.now()}
          formToken={user.formToken}
          servesDemo={deps.servesDemo}
          apiKey={key}
          publicUrl={deps.publicUrl()}
          back={returnPath(c.req.query("return_to"))}
          activeFrom={await activeFromOf(deps, ref, health)}
          duplicateOf={await duplicatesOf(deps, ref, health.kind)}
        />,
        { csp: LIVE_PAGE, headers: key === undefined ? {} : { "Set-Cookie": deps.reveal.clearedCookie(place) } },
      );
    }),
  );
}
