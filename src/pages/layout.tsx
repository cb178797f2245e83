import { raw } from "hono/html";
import type { Child, PropsWithChildren } from "hono/jsx";

import type { Assets } from "./assets.ts";
import { FormToken } from "./components/form-token.tsx";
import { PlainName } from "./components/plain-name.tsx";
import { commonTexts } from "./texts/common.ts";
import { consoleTexts } from "./texts/console.ts";

/** Who the frame says is signed in. */
export interface FrameUser {
  readonly displayName: string;
  readonly formToken: string;
}

/** What a page puts into the frame. */
export interface PageFrame {
  /** Heading of the page and, with the product's name, its title. */
  readonly title: string;
  /** Left out on pages that nobody is signed in on. */
  readonly user?: FrameUser | undefined;
  /** `narrow` for forms, `wide` for tables. */
  readonly width?: "narrow" | "wide";
  /** Links under the header, as the console has. */
  readonly navigation?: readonly { readonly href: string; readonly label: string; readonly isCurrent: boolean }[];
  /** In place of the plain heading. */
  readonly heading?: Child;
  /** What the page is for, in one or two sentences under the heading. */
  readonly lead?: Child;
  /** Links and buttons beside the heading, the main one first. */
  readonly actions?: Child;
  /** The page above this one. */
  readonly back?: { readonly href: string; readonly label: string } | undefined;
  /** Scripts of ours that only this page loads, beside the common one. */
  readonly scripts?: readonly string[];
  /** Styles that only this page loads, beside the common one: those of a library. */
  readonly styles?: readonly string[];
  /** For public pages: what search engines and previews of links are told. */
  readonly about?: PageAbout | undefined;
  /** Links in the header of public pages, for visitors who aren't signed in too. */
  readonly visitorLinks?: readonly { readonly href: string; readonly label: string }[];
  /** Where no script runs, the page loads itself again after this many seconds: for what changes by itself. */
  readonly reloadSeconds?: number | undefined;
}

/** What a public page says of itself to machines. */
export interface PageAbout {
  readonly description: string;
  /** The page's one address, absolute. */
  readonly url: string;
  /** In place of the title with the product's name. */
  readonly title?: string;
  /** schema.org objects, written as JSON-LD: data, which no content policy keeps back. */
  readonly structuredData?: readonly object[];
}

/** A mark of our own, as favicon and beside the name: two lines that meet at a point. */
const MARK = "M4 17 10 10 14 14 20 6";
const FAVICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" fill="#0f5a78"/><path d="${MARK}" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
)}`;

/** The one frame of all pages: header, content, and the footer with whose product this is not. */
export function Layout({ assets, frame, children }: PropsWithChildren<{ readonly assets: Assets; readonly frame: PageFrame }>) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{frame.about?.title ?? commonTexts.titleOf(frame.title)}</title>
        {frame.about !== undefined && <About about={frame.about} title={frame.title} />}
        <link rel="icon" href={FAVICON} />
        {frame.styles?.map((path) => (
          <link rel="stylesheet" href={path} />
        ))}
        <link rel="stylesheet" href={assets.stylesheet.path} />
        <script src={assets.script.path} defer></script>
        {frame.scripts?.map((path) => (
          <script src={path} defer></script>
        ))}
        {frame.reloadSeconds !== undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(frame.reloadSeconds)} />
          </noscript>
        )}
      </head>
      <body>
        <a class="skip-link" href="#content">
          {commonTexts.skipToContent}
        </a>
        <Header user={frame.user} links={frame.visitorLinks} />
        {frame.navigation !== undefined && <Navigation links={frame.navigation} />}
        <main id="content" class={frame.width ?? "narrow"} tabindex={-1}>
          <PageHead frame={frame} />
          {children}
        </main>
        <footer class="page-footer">
          <p>
            <strong>{commonTexts.notAffiliated}</strong> {commonTexts.about}
          </p>
          <nav aria-label={commonTexts.footerLinks.label}>
            {commonTexts.footerLinks.links.map(({ href, label }) => (
              <a href={href}>{label}</a>
            ))}
          </nav>
        </footer>
      </body>
    </html>
  );
}

function PageHead({ frame: { title, heading, lead, actions, back } }: { readonly frame: PageFrame }) {
  return (
    <div class="page-head">
      {back !== undefined && (
        <p class="page-back">
          <a href={back.href}>
            <span aria-hidden="true">← </span>
            {back.label}
          </a>
        </p>
      )}
      <h1>{heading ?? title}</h1>
      {actions !== undefined && <div class="page-actions">{actions}</div>}
      {lead !== undefined && <p class="lead">{lead}</p>}
    </div>
  );
}

/** Metadata for search engines and for previews of links. */
function About({ about, title }: { readonly about: PageAbout; readonly title: string }) {
  // In a script element only `<` could end it or begin a comment.
  const json = (data: object): string => JSON.stringify(data).replaceAll("<", "\\u003c");
  return (
    <>
      <meta name="description" content={about.description} />
      <link rel="canonical" href={about.url} />
      <meta property="og:type" content="website" />
      <meta property="og:site_name" content={commonTexts.product} />
      <meta property="og:title" content={about.title ?? title} />
      <meta property="og:description" content={about.description} />
      <meta property="og:url" content={about.url} />
      <meta name="twitter:card" content="summary" />
      {about.structuredData?.map((data) => (
        <script type="application/ld+json">{raw(json(data))}</script>
      ))}
    </>
  );
}

function Header({ user, links = [] }: { readonly user: FrameUser | undefined; readonly links?: PageFrame["visitorLinks"] }) {
  return (
    <header class="page-header">
      <a class="brand" href="/">
        <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
          <rect width="24" height="24" rx="5" />
          <path d={MARK} />
        </svg>
        {commonTexts.product}
      </a>
      {links.length > 0 && (
        <nav class="visitor-links" aria-label={commonTexts.visitorLinks}>
          {links.map(({ href, label }) => (
            <a href={href}>{label}</a>
          ))}
        </nav>
      )}
      {user !== undefined && (
        <form class="who" method="post" action="/sign-out">
          <FormToken token={user.formToken} />
          <span>
            <span class="visually-hidden">{commonTexts.signedInAs} </span>
            <a href="/account">
              <PlainName value={user.displayName} />
            </a>
          </span>
          <button type="submit" class="button quiet small">
            {commonTexts.signOut}
          </button>
        </form>
      )}
    </header>
  );
}

function Navigation({ links }: { readonly links: NonNullable<PageFrame["navigation"]> }) {
  return (
    <nav class="page-navigation" aria-label={consoleTexts.navigation}>
      {links.map(({ href, label, isCurrent }) => (
        <a href={href} aria-current={isCurrent ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}
