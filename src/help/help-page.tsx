import { raw } from "hono/html";

import { helpTexts as texts } from "../pages/texts/help.ts";
import { HELP_GROUPS, type HelpDocument } from "./help-document.ts";
import type { PageHeading } from "./render-markdown.ts";

/** What a help page shows. */
export interface HelpPageProps {
  /** The page's own text, rendered from our Markdown. */
  readonly html: string;
  readonly headings: readonly PageHeading[];
  readonly document: HelpDocument;
  readonly all: readonly HelpDocument[];
}

/** Fewer headings than this are seen at a glance. */
const MIN_CONTENTS = 3;

/** One help page: the list of all pages beside it, its contents, its text. */
export function HelpPage({ html, headings, document, all }: HelpPageProps) {
  return (
    <div class="help">
      <nav class="help-pages" aria-label={texts.pages}>
        <HelpList documents={all} current={document.slug} />
      </nav>
      <article class="prose">
        {headings.length >= MIN_CONTENTS && (
          <details class="help-contents">
            <summary>{texts.onThisPage}</summary>
            <ul>
              {headings.map(({ id, text }) => (
                <li>
                  <a href={`#${id}`}>{text}</a>
                </li>
              ))}
            </ul>
          </details>
        )}
        {raw(html)}
      </article>
    </div>
  );
}

/** The list of all help pages, each with what it is about. */
export function HelpIndexPage({ all }: { readonly all: readonly HelpDocument[] }) {
  return (
    <div class="help-index">
      {HELP_GROUPS.map((group) => {
        const documents = all.filter((document) => document.group === group);
        if (documents.length === 0) return null;
        return (
          <section class="card" aria-labelledby={`group-${group}`}>
            <h2 id={`group-${group}`}>{texts.groups[group]}</h2>
            <ul class="help-links">
              {documents.map(({ slug, title, summary }) => (
                <li>
                  <a href={`/help/${slug}`}>{title}</a>
                  <p>{summary}</p>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function HelpList({ documents, current }: { readonly documents: readonly HelpDocument[]; readonly current: string }) {
  return (
    <>
      {HELP_GROUPS.map((group) => {
        const own = documents.filter((document) => document.group === group);
        if (own.length === 0) return null;
        return (
          <>
            <p class="help-group">{texts.groups[group]}</p>
            <ul>
              {own.map(({ slug, title }) => (
                <li>
                  <a href={`/help/${slug}`} aria-current={slug === current ? "page" : undefined}>
                    {title}
                  </a>
                </li>
              ))}
            </ul>
          </>
        );
      })}
    </>
  );
}
