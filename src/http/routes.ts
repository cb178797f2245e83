import type { Handler } from "hono";

import type { ActivityHandlers } from "../console/activity/activity-handlers.tsx";
import type { AppHandlers } from "../console/apps/app-handlers.tsx";
import type { ConfirmHandlers, Confirmed } from "../console/connections/confirm-handlers.tsx";
import type { ConnectionHandlers } from "../console/connections/connection-handlers.tsx";
import type { ConnectionListHandlers } from "../console/connections/list-handlers.tsx";
import type { ChooseHandlers } from "../console/connections/set-up/choose-handlers.tsx";
import type { StepHandlers } from "../console/connections/set-up/step-handlers.tsx";
import type { ErrorHandlers } from "../console/errors/error-handlers.tsx";
import type { KeyHandlers } from "../console/keys/key-handlers.tsx";
import type { OrderHandlers } from "../console/orders/order-handlers.tsx";
import type { PortfolioHandlers } from "../console/portfolio/portfolio-handlers.tsx";
import type { SecurityHandlers } from "../console/portfolio/security-handlers.tsx";
import type { SystemHandlers } from "../console/system/system-handlers.tsx";
import type { HelpHandlers } from "../help/help-handlers.tsx";
import type { SignInHandlers } from "../auth/sign-in/create-sign-in.ts";
import type { RequestFacts } from "../mcp/exchange.ts";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a page's handler may read of the request beside what Hono knows. */
export interface PageBindings {
  readonly Bindings: {
    readonly facts: RequestFacts;
    /** Node's own request and response, for parts that read and set cookies there. */
    readonly incoming: IncomingMessage;
    readonly outgoing: ServerResponse;
  };
}

/** Answers on node's own objects. */
export type DirectHandler = (req: IncomingMessage, res: ServerResponse, facts: RequestFacts) => Promise<void>;

/** Answers one page or one form. */
export type PageHandler = Handler<PageBindings>;

/**
 * One URL. `direct` is served on node's own request and response, without the cost of a web-standard copy; `page` answers
 * GET and `submit` a form's POST. A path may have parts that vary (`:id`); a direct one only its last. `anyOrigin` lets
 * pages of any site ask, where nothing depends on cookies.
 */
export type Route =
  | { readonly path: string; readonly direct: DirectHandler; readonly anyOrigin?: boolean }
  | { readonly path: string; readonly page: PageHandler; readonly submit?: PageHandler }
  | { readonly path: string; readonly submit: PageHandler };

/** The handlers of the routes, made where their parts are known. */
export interface RouteHandlers {
  readonly mcp: DirectHandler;
  readonly oauth: DirectHandler;
  readonly health: PageHandler;
  readonly metrics: PageHandler;
  readonly home: PageHandler;
  /** What people see; left out where only the protocol is served. */
  readonly site?: SiteHandlers | undefined;
}

/** The handlers of the pages for people. */
export interface SiteHandlers {
  readonly asset: PageHandler;
  readonly showConsent: PageHandler;
  readonly decideConsent: PageHandler;
  readonly signIn: SignInHandlers;
  readonly help: HelpHandlers;
  readonly connections: ConnectionPageHandlers;
  readonly callers: CallerPageHandlers;
  readonly portfolio: PortfolioPageHandlers;
}

/** The handlers of the console's pages about what a connection holds. */
export interface PortfolioPageHandlers {
  readonly portfolio: PortfolioHandlers;
  readonly security: SecurityHandlers;
}

/** The handlers of the console's pages about connections. */
export interface ConnectionPageHandlers {
  readonly list: ConnectionListHandlers;
  readonly connection: ConnectionHandlers;
  readonly confirm: Readonly<Record<Confirmed, ConfirmHandlers>>;
  readonly choose: ChooseHandlers;
  readonly step: StepHandlers;
  readonly created: PageHandler;
}

/** The handlers of the console's pages about callers: keys, apps, and what they did. */
export interface CallerPageHandlers {
  readonly keys: KeyHandlers;
  readonly apps: AppHandlers;
  readonly activity: ActivityHandlers;
  readonly errors: ErrorHandlers;
  readonly orders: OrderHandlers;
  readonly system: SystemHandlers;
}

/** EVERY URL of the gateway, in the order in which they are tried. Anything else is 404. */
export function createRoutes(handlers: RouteHandlers): readonly Route[] {
  return [
    { path: "/mcp", direct: handlers.mcp },
    { path: "/authorize", direct: handlers.oauth },
    { path: "/authorize/:interaction", direct: handlers.oauth },
    { path: "/token", direct: handlers.oauth, anyOrigin: true },
    { path: "/register", direct: handlers.oauth, anyOrigin: true },
    { path: "/revoke", direct: handlers.oauth, anyOrigin: true },
    { path: "/.well-known/oauth-protected-resource", direct: handlers.oauth, anyOrigin: true },
    { path: "/.well-known/oauth-protected-resource/mcp", direct: handlers.oauth, anyOrigin: true },
    { path: "/.well-known/oauth-authorization-server", direct: handlers.oauth, anyOrigin: true },
    { path: "/.well-known/oauth-authorization-server/mcp", direct: handlers.oauth, anyOrigin: true },
    { path: "/healthz", page: handlers.health },
    { path: "/metrics", page: handlers.metrics },
    { path: "/", page: handlers.home },
    ...(handlers.site === undefined ? [] : siteRoutes(handlers.site)),
  ];
}

function siteRoutes(site: SiteHandlers): readonly Route[] {
  return [
    { path: "/assets/:file", page: site.asset },
    { path: "/consent/:interaction", page: site.showConsent, submit: site.decideConsent },
    ...signInRoutes(site.signIn),
    ...accountRoutes(site.signIn),
    ...connectionRoutes(site.connections),
    ...portfolioRoutes(site.portfolio),
    ...callerRoutes(site.callers),
    ...helpRoutes(site.help),
  ];
}

function callerRoutes({ keys, apps, activity, errors, orders, system }: CallerPageHandlers): readonly Route[] {
  return [
    { path: "/console/keys", page: keys.show },
    { path: "/console/keys/new", page: keys.showNew, submit: keys.create },
    { path: "/console/keys/:key/created", page: keys.showCreated },
    { path: "/console/keys/:key/revoke", page: keys.showRevocation, submit: keys.revoke },
    { path: "/console/apps", page: apps.show },
    { path: "/console/apps/revoke", page: apps.showRevocationOfAll, submit: apps.revokeAll },
    { path: "/console/apps/:app/revoke", page: apps.showRevocation, submit: apps.revoke },
    { path: "/console/activity", page: activity.show },
    { path: "/console/activity/events", page: activity.events },
    { path: "/console/activity/export.csv", page: activity.exportCsv },
    { path: "/console/activity/export.jsonl", page: activity.exportJsonLines },
    { path: "/console/activity/:request", page: activity.showCall },
    { path: "/console/errors", page: errors.show },
    { path: "/console/orders", page: orders.show },
    { path: "/console/orders/:order", page: orders.showOrder, submit: orders.decide },
    { path: "/console/system", page: system.show },
  ];
}

function helpRoutes(help: HelpHandlers): readonly Route[] {
  return [
    { path: "/help", page: help.showIndex },
    { path: "/help/:page", page: help.showPage },
  ];
}

function connectionRoutes({ list, connection, confirm, choose, step, created }: ConnectionPageHandlers): readonly Route[] {
  return [
    { path: "/console", page: list.show },
    { path: "/console/connections/events", page: list.events },
    { path: "/console/connections/new", page: choose.show, submit: choose.submit },
    { path: "/console/connections/new/:draft", page: step.goOn },
    { path: "/console/connections/new/:draft/discard", submit: step.discard },
    { path: "/console/connections/new/:draft/files/:file", page: step.file },
    { path: "/console/connections/new/:draft/:step", page: step.show, submit: step.submit },
    { path: "/console/connections/:connection", page: connection.show },
    { path: "/console/connections/:connection/created", page: created },
    { path: "/console/connections/:connection/events", page: connection.events },
    { path: "/console/connections/:connection/test", submit: connection.test },
    { path: "/console/connections/:connection/rename", submit: connection.rename },
    { path: "/console/connections/:connection/pause", submit: connection.pause },
    { path: "/console/connections/:connection/resume", submit: connection.resume },
    { path: "/console/connections/:connection/keep-warm", submit: connection.keepWarm },
    { path: "/console/connections/:connection/take-over", page: confirm.takeOver.show, submit: confirm.takeOver.submit },
    { path: "/console/connections/:connection/live-trading", page: confirm.liveTrading.show, submit: confirm.liveTrading.submit },
    { path: "/console/connections/:connection/resume-orders", page: confirm.resumeOrders.show, submit: confirm.resumeOrders.submit },
    { path: "/console/connections/:connection/rotate", submit: step.rotate },
    { path: "/console/connections/:connection/delete", page: confirm.remove.show, submit: confirm.remove.submit },
  ];
}

function portfolioRoutes({ portfolio, security }: PortfolioPageHandlers): readonly Route[] {
  return [
    { path: "/console/connections/:connection/portfolio", page: portfolio.show },
    { path: "/console/connections/:connection/portfolio/events", page: portfolio.events },
    { path: "/console/connections/:connection/securities", page: security.search },
    { path: "/console/connections/:connection/securities/:conid", page: security.show },
    { path: "/console/connections/:connection/securities/:conid/events", page: security.events },
  ];
}

function signInRoutes({ oidc, setup, invite, reset, ...signIn }: SignInHandlers): readonly Route[] {
  return [
    { path: "/sign-in", page: signIn.showSignIn, submit: signIn.signIn },
    { path: "/sign-in/passkey/options", submit: signIn.passkeySignInOptions },
    { path: "/sign-in/passkey", submit: signIn.passkeySignIn },
    { path: "/sign-in/oidc/:provider", submit: oidc.begin },
    { path: "/sign-in/oidc/:provider/callback", page: oidc.callback },
    { path: "/sign-out", submit: signIn.signOut },
    { path: "/setup/:token", page: setup.show, submit: setup.submit },
    { path: "/invite/:token", page: invite.show, submit: invite.submit },
    { path: "/reset/:token", page: reset.show, submit: reset.submit },
  ];
}

function accountRoutes({ account }: SignInHandlers): readonly Route[] {
  return [
    { path: "/account", page: account.show },
    { path: "/account/sessions/end", submit: account.endSessions },
    { path: "/account/password", submit: account.changePassword },
    { path: "/account/passkeys/options", submit: account.passkeyAddOptions },
    { path: "/account/passkeys", submit: account.addPasskey },
    { path: "/account/passkeys/remove", submit: account.removePasskey },
    { path: "/account/methods/remove", submit: account.removeMethod },
    { path: "/account/invitations", submit: account.invite },
    { path: "/account/invitations/remove", submit: account.removeInvitation },
    { path: "/account/export", page: account.exportAccount },
    { path: "/account/delete", page: account.showDeletion, submit: account.deleteAccount },
  ];
}
