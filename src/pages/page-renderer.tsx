import type { Child } from "hono/jsx";
import { renderToString } from "hono/jsx/dom/server";

import type { Assets } from "./assets.ts";
import { ErrorMessage, ERROR_STATUS, type ErrorPageKind } from "./components/error-message.tsx";
import { contentSecurityPolicy, type ContentSecurityOverrides } from "./content-security.ts";
import { Layout, type FrameUser, type PageFrame } from "./layout.tsx";
import { errorTexts } from "./texts/errors.ts";

/** How a page is answered beside its content. */
export interface PageAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly csp?: ContentSecurityOverrides;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an error page may say beyond its kind. */
export interface ErrorPageDetails {
  readonly user?: FrameUser | undefined;
  readonly requestId?: string | undefined;
  /** In place of the general message. */
  readonly message?: string;
  /** In place of the general advice; empty where the message says it already. */
  readonly whatToDo?: string;
}

/** Answers pages: whole, in the one frame, with the strict headers, and kept by no cache. */
export interface PageRenderer {
  page(frame: PageFrame, content: Child, answer?: PageAnswer): Response;
  error(kind: ErrorPageKind, details?: ErrorPageDetails): Response;
}

/** Makes the renderer. */
export function createPageRenderer({ assets }: { readonly assets: Assets }): PageRenderer {
  const page: PageRenderer["page"] = (frame, content, answer = {}) => {
    const html = renderToString(
      <Layout assets={assets} frame={frame}>
        {content}
      </Layout>,
    );
    return new Response(`<!DOCTYPE html>${html}`, {
      status: answer.status ?? 200,
      headers: { ...pageHeaders(answer.csp), ...answer.headers },
    });
  };
  return {
    page,
    error: (kind, details = {}) =>
      page({ title: errorTexts[kind].title, user: details.user }, <ErrorMessage kind={kind} details={details} />, {
        status: ERROR_STATUS[kind],
      }),
  };
}

/**
 * The headers of every page. The referrer goes to our own pages only: with none at all, browsers would send forms with
 * `Origin: null`, and they could not be told from a stranger's.
 */
export function pageHeaders(csp?: ContentSecurityOverrides): Record<string, string> {
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": contentSecurityPolicy(csp),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    // No Cross-Origin-Opener-Policy: hosts open us in a popup and wait for it through their opener.
    "X-Frame-Options": "DENY",
  };
}
