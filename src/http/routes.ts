import type { Handler } from "hono";

import type { AppHandlers } from "../console/apps/app-handlers.tsx";
import type { KeyHandlers } from "../console/keys/key-handlers.tsx";
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
  readonly showNewConnection: PageHandler;
  readonly createConnection: PageHandler;
  readonly showCreatedConnection: PageHandler;
  readonly signIn: SignInHandlers;
  readonly help: HelpHandlers;
  readonly callers: CallerPageHandlers;
}

/** The handlers of the console's pages about callers: keys, apps, and what they did. */
export interface CallerPageHandlers {
  readonly keys: KeyHandlers;
  readonly apps: AppHandlers;
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
    { path: "/connections/new", page: site.showNewConnection, submit: site.createConnection },
    { path: "/connections/:connection/created", page: site.showCreatedConnection },
    ...signInRoutes(site.signIn),
    ...accountRoutes(site.signIn),
    ...callerRoutes(site.callers),
    ...helpRoutes(site.help),
  ];
}

function callerRoutes({ keys, apps }: CallerPageHandlers): readonly Route[] {
  return [
    { path: "/console/keys", page: keys.show },
    { path: "/console/keys/new", page: keys.showNew, submit: keys.create },
    { path: "/console/keys/:key/created", page: keys.showCreated },
    { path: "/console/keys/:key/revoke", page: keys.showRevocation, submit: keys.revoke },
    { path: "/console/apps", page: apps.show },
    { path: "/console/apps/revoke", page: apps.showRevocationOfAll, submit: apps.revokeAll },
    { path: "/console/apps/:app/revoke", page: apps.showRevocation, submit: apps.revoke },
  ];
}

function helpRoutes(help: HelpHandlers): readonly Route[] {
  return [
    { path: "/help", page: help.showIndex },
    { path: "/help/:page", page: help.showPage },
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
