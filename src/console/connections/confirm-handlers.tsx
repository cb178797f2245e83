import type { ConnectedApps } from "../../auth/connected-apps.ts";
import { isFresh } from "../../auth/sign-in/sign-in-parts.ts";
import { GatewayError } from "../../lib/errors.ts";
import { plainText } from "../../lib/plain-text.ts";
import type { Child } from "hono/jsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { deleteConnection } from "../../storage/connections.ts";
import { orderTexts } from "../../pages/texts/orders.ts";
import { setLiveTrading } from "../../storage/live-trading.ts";
import { resumeOrders } from "../../storage/order-permission.ts";
import { consoleFrame } from "../console-frame.tsx";
import { factsOf, nothingHere, ownForm, ownPage, type OwnPage, toFreshSignIn } from "../console-visits.ts";
import { leavingQuery } from "../orders/leaving-orders.tsx";
import { DeletePage, LiveTradingPage, ResumeOrdersPage, TakeOverPage } from "./confirm-pages.tsx";
import type { ConnectionPagesDeps } from "./connection-deps.ts";
import { MAX_LABEL_LENGTH, readLabel } from "./connection-label.ts";
import { CONNECTIONS_PATH, connectionPath } from "./connection-paths.ts";
import { countCallers, type OwnConnection, withOwnConnection } from "./own-connection.ts";

export interface ConfirmHandlersDeps extends ConnectionPagesDeps {
  readonly apps: Pick<ConnectedApps, "revokeAll">;
}

/** A page that says what a step does, and the form that takes it. */
export interface ConfirmHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly submit: (c: PageRequest) => Promise<Response>;
}

interface Shown {
  readonly error?: string | undefined;
  readonly refusal?: string | undefined;
}

type Below = "delete" | "live-trading" | "resume-orders" | "take-over";

/** Taking a session over opens one: a login that never answers ends here. */
const TAKE_OVER_LIMIT_MS = 30_000;
const MAX_REASON = 300;

/** The steps that their owner confirms. */
export type Confirmed = "remove" | "liveTrading" | "resumeOrders" | "takeOver";

/** Creates the handlers of the steps that an owner confirms. */
export function createConfirmHandlers(deps: ConfirmHandlersDeps): Readonly<Record<Confirmed, ConfirmHandlers>> {
  return {
    remove: removeHandlers(deps),
    liveTrading: liveTradingHandlers(deps),
    resumeOrders: resumeOrdersHandlers(deps),
    takeOver: takeOverHandlers(deps),
  };
}

function removeHandlers(deps: ConfirmHandlersDeps): ConfirmHandlers {
  const draw = async (page: OwnPage, { ref, health }: OwnConnection, shown: Shown = {}): Promise<Response> =>
    confirmPage(deps, page, {
      title: texts.remove.title,
      shown,
      content: (
        <DeletePage
          connectionId={ref.connectionId}
          formToken={page.user.formToken}
          label={plainText(health.label, MAX_LABEL_LENGTH)}
          isIbkr={health.mode !== "simulated"}
          {...await countCallers(deps, ref)}
          {...shown}
        />
      ),
      connectionId: ref.connectionId,
    });
  return {
    show: ownPage(deps, (page) => withOwnConnection(deps, page, (own) => draw(page, own))),
    submit: ownForm(deps, placeOf("delete"), (form) =>
      withOwnConnection(deps, form, async (own) => {
        const { ref, health } = own;
        if (readLabel(form.fields.get("confirm") ?? "") !== plainText(health.label, MAX_LABEL_LENGTH))
          return await draw(form, own, { error: texts.remove.wrong });
        const callers = await countCallers(deps, ref);
        // Apps are cut off first, on record; then the session ends, and nothing can open it again.
        await deps.apps.revokeAll(ref, form.c.env.facts.requestId);
        await deps.connections.pause(ref);
        if (await deleteConnection(deps.storage, ref)) {
          const details = { api_keys: callers.keyCount, connected_apps: callers.appCount };
          deps.journal.note("connection.deleted", { ...health, ...ref }, { ...factsOf(form), details });
        }
        await deps.connections.forget(ref.connectionId);
        deps.log.info({ event: "connection_deleted", user_id: ref.userId, connection: ref.connectionId }, "a connection was deleted");
        return form.c.redirect(`${CONNECTIONS_PATH}?said=deleted`, 303);
      }),
    ),
  };
}

function liveTradingHandlers(deps: ConfirmHandlersDeps): ConfirmHandlers {
  const draw = async (page: OwnPage, { ref }: OwnConnection, shown: Shown = {}): Promise<Response> =>
    confirmPage(deps, page, {
      title: texts.liveTrading.title,
      shown,
      content: (
        <LiveTradingPage
          connectionId={ref.connectionId}
          formToken={page.user.formToken}
          {...await countCallers(deps, ref, true)}
          {...shown}
        />
      ),
      connectionId: ref.connectionId,
    });
  return {
    show: ownPage(deps, (page) =>
      withOwnConnection(deps, page, async (own) => (own.health.mode === "live" ? await draw(page, own) : nothingHere(deps, page))),
    ),
    submit: ownForm(deps, placeOf("live-trading"), (form) =>
      withOwnConnection(deps, form, async (own) => {
        const { ref, health } = own;
        if (health.mode !== "live") return nothingHere(deps, form);
        const isOn = form.fields.get("trading") === "on";
        const { word, wrong } = texts.liveTrading;
        if (isOn && (form.fields.get("confirm") ?? "").trim() !== word) return await draw(form, own, { error: wrong(word) });
        await setLiveTrading(deps.storage, ref, isOn ? deps.clock.now() : null);
        if ((health.liveTradingEnabledAt !== undefined) !== isOn) {
          const noted = isOn ? "connection.live_trading_allowed" : "connection.live_trading_stopped";
          deps.journal.note(noted, { ...health, ...ref }, factsOf(form));
        }
        const event = isOn ? "live_trading_allowed" : "live_trading_forbidden";
        deps.log.info({ event, user_id: ref.userId, connection: ref.connectionId }, "live trading was switched");
        const left = isOn ? "" : await leavingQuery(deps.storage, ref.userId, { connectionId: ref.connectionId });
        return form.c.redirect(`${connectionPath(ref.connectionId)}?said=${isOn ? "live_on" : "live_off"}${left}`, 303);
      }),
    ),
  };
}

function resumeOrdersHandlers(deps: ConfirmHandlersDeps): ConfirmHandlers {
  const place = placeOf("resume-orders");
  const title = orderTexts.stopped.pageTitle;
  const draw = (page: OwnPage, { ref, health }: OwnConnection): Response => {
    const { connectionId } = ref;
    const because = plainText(health.ordersStopped?.because ?? "", MAX_REASON);
    const content = <ResumeOrdersPage connectionId={connectionId} formToken={page.user.formToken} because={because} mode={health.mode} />;
    return confirmPage(deps, page, { title, shown: {}, content, connectionId });
  };
  return {
    show: ownPage(deps, (page) =>
      withOwnConnection(deps, page, (own) => {
        const { ref, health } = own;
        const response = health.ordersStopped === undefined ? page.c.redirect(connectionPath(ref.connectionId), 303) : draw(page, own);
        return Promise.resolve(response);
      }),
    ),
    submit: ownForm(deps, place, (form) =>
      withOwnConnection(deps, form, async ({ ref, health }) => {
        if (health.mode === "live" && !isFresh(deps, { signedIn: form.user })) return toFreshSignIn(place, form);
        if (await resumeOrders(deps.storage, ref)) {
          const details = { stopped_because: health.ordersStopped?.because ?? "" };
          deps.journal.note("connection.orders_resumed", { ...health, ...ref }, { ...factsOf(form), details });
          deps.log.info({ event: "orders_resumed", user_id: ref.userId, connection: ref.connectionId }, "orders were resumed");
        }
        return form.c.redirect(`${connectionPath(ref.connectionId)}?said=orders_on`, 303);
      }),
    ),
  };
}

function takeOverHandlers(deps: ConfirmHandlersDeps): ConfirmHandlers {
  const draw = (page: OwnPage, { ref, health }: OwnConnection, shown: Shown = {}): Promise<Response> =>
    Promise.resolve(
      confirmPage(deps, page, {
        title: texts.takeOver.title,
        shown,
        content: (
          <TakeOverPage
            connectionId={ref.connectionId}
            formToken={page.user.formToken}
            isCompeting={health.link.state === "competing"}
            {...shown}
          />
        ),
        connectionId: ref.connectionId,
      }),
    );
  return {
    show: ownPage(deps, (page) => withOwnConnection(deps, page, (own) => draw(page, own))),
    submit: ownForm(deps, placeOf("take-over"), (form) =>
      withOwnConnection(deps, form, async (own) => {
        const { ref, health } = own;
        try {
          await deps.connections.takeOver(ref, AbortSignal.timeout(TAKE_OVER_LIMIT_MS));
        } catch (error) {
          if (error instanceof GatewayError) return await draw(form, own, { refusal: `${error.message} ${error.whatToDo}` });
          if (error instanceof DOMException) return await draw(form, own, { refusal: texts.takeOver.tooSlow });
          throw error;
        }
        deps.journal.note("connection.session_taken_over", { ...health, ...ref }, factsOf(form));
        deps.log.info({ event: "session_taken_over", user_id: ref.userId, connection: ref.connectionId }, "a session was taken over");
        return form.c.redirect(`${connectionPath(ref.connectionId)}?said=taken`, 303);
      }),
    ),
  };
}

function placeOf(below: Below) {
  return { page: (c: PageRequest) => connectionPath(c.req.param("connection") ?? "", below) };
}

interface ConfirmPage {
  readonly title: string;
  readonly content: Child;
  readonly shown: Shown;
  readonly connectionId: string;
}

function confirmPage(deps: ConfirmHandlersDeps, { user }: OwnPage, { title, content, shown, connectionId }: ConfirmPage): Response {
  const hasFailed = shown.error !== undefined || shown.refusal !== undefined;
  return deps.pages.page(
    {
      ...consoleFrame(title, "connections", user),
      width: "narrow",
      back: { href: connectionPath(connectionId), label: texts.backToConnection },
    },
    content,
    { status: hasFailed ? 422 : 200 },
  );
}
