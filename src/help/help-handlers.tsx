import type { FrameUser, PageFrame } from "../pages/layout.tsx";
import type { PageRequest } from "../pages/page-env.ts";
import type { PageRenderer } from "../pages/page-renderer.tsx";
import { helpTexts as texts } from "../pages/texts/help.ts";
import type { HelpDocument } from "./help-document.ts";
import { fillFacts, type HelpFacts } from "./help-facts.ts";
import { HelpIndexPage, HelpPage } from "./help-page.tsx";
import { HomeActions, HomePage } from "./home-page.tsx";
import { homeAbout } from "./home-structured-data.ts";
import { homeTexts } from "../pages/texts/home.ts";
import { type PageHeading, renderMarkdown } from "./render-markdown.ts";

export interface HelpDeps {
  readonly pages: PageRenderer;
  readonly documents: readonly HelpDocument[];
  /** Known once the gateway listens. */
  readonly facts: () => HelpFacts;
  /** Who is signed in, if anybody: the pages are for everybody. */
  readonly whoIs: (cookieHeader: string | undefined) => Promise<FrameUser | undefined>;
}

/** Answers the pages for everybody. */
export interface HelpHandlers {
  readonly showHome: (c: PageRequest) => Promise<Response>;
  readonly showIndex: (c: PageRequest) => Promise<Response>;
  readonly showPage: (c: PageRequest) => Promise<Response>;
}

/** Makes the handlers. Each page is rendered once, at its first request. */
export function createHelpHandlers(deps: HelpDeps): HelpHandlers {
  const rendered = new Map<string, RenderedPage>();
  const render = (document: HelpDocument): RenderedPage => {
    const known = rendered.get(document.slug) ?? renderMarkdown(fillFacts(document.markdown, deps.facts()));
    rendered.set(document.slug, known);
    return known;
  };
  return {
    showHome: async (c) => {
      const user = await deps.whoIs(c.req.header("cookie"));
      const facts = deps.facts();
      const { title, lead } = homeTexts;
      const frame: PageFrame = { title, lead, actions: <HomeActions />, user, width: "wide", visitorLinks: visitorLinks(user) };
      return deps.pages.page({ ...frame, about: homeAbout(facts) }, <HomePage facts={facts} />);
    },
    showIndex: async (c) => {
      const user = await deps.whoIs(c.req.header("cookie"));
      const about = { description: texts.lead, url: `${deps.facts().publicUrl}/help` };
      const frame = { title: texts.title, lead: texts.lead, user, width: "wide", visitorLinks: visitorLinks(user), about } as const;
      return deps.pages.page(frame, <HelpIndexPage all={deps.documents} />);
    },
    showPage: async (c) => {
      const user = await deps.whoIs(c.req.header("cookie"));
      const document = deps.documents.find(({ slug }) => slug === c.req.param("page"));
      if (document === undefined) return deps.pages.error("not_found", { user, requestId: c.env.facts.requestId });
      const { title, summary, slug } = document;
      const about = { description: summary, url: `${deps.facts().publicUrl}/help/${slug}` };
      const back = { href: "/help", label: texts.back };
      const frame = { title, lead: summary, user, width: "wide", visitorLinks: visitorLinks(user), back, about } as const;
      return deps.pages.page(frame, <HelpPage {...render(document)} document={document} all={deps.documents} />);
    },
  };
}

interface RenderedPage {
  readonly html: string;
  readonly headings: readonly PageHeading[];
}

function visitorLinks(user: FrameUser | undefined): NonNullable<PageFrame["visitorLinks"]> {
  const own = user === undefined ? { href: "/sign-in", label: texts.links.signIn } : { href: "/console", label: texts.links.console };
  return [{ href: "/help", label: texts.links.help }, own];
}
