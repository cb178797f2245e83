import { Marked, type Tokens } from "marked";

import { commonTexts } from "../pages/texts/common.ts";

/** A heading of a page, for its table of contents. */
export interface PageHeading {
  readonly id: string;
  readonly text: string;
}

/** Turns a help page's Markdown into HTML: headings can be linked to, blocks of code copied, tables scrolled. HTML in it is shown as text. */
export function renderMarkdown(markdown: string): { readonly html: string; readonly headings: readonly PageHeading[] } {
  const headings: PageHeading[] = [];
  const taken = new Map<string, number>();
  let blocks = 0;
  const marked = new Marked({ gfm: true, async: false });
  marked.use({
    renderer: {
      heading(token: Tokens.Heading) {
        const id = uniqueId(token.text, taken);
        const content = this.parser.parseInline(token.tokens);
        if (token.depth === 2) headings.push({ id, text: plain(token.text) });
        return `<h${token.depth} id="${id}">${content} <a class="heading-link" href="#${id}" aria-label="${escapeHtml(plain(token.text))}">#</a></h${token.depth}>\n`;
      },
      code({ text, lang }: Tokens.Code) {
        blocks += 1;
        return codeBlock({ id: `code-${blocks}`, text, language: /^\w+/.exec(lang ?? "")?.[0] ?? "text" });
      },
      table(token: Tokens.Table) {
        const cells = (row: readonly Tokens.TableCell[], tag: "th" | "td") =>
          `<tr>${row.map((cell) => `<${tag}${tag === "th" ? ' scope="col"' : ""}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
        const rows = token.rows.map((row) => cells(row, "td")).join("");
        return `<div class="table-scroll" tabindex="0" role="group"><table><thead>${cells(token.header, "th")}</thead><tbody>${rows}</tbody></table></div>\n`;
      },
      html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
      image: ({ text }: Tokens.Image) => escapeHtml(text),
    },
  });
  // `async: false` makes the parser answer text.
  const html = marked.parse(markdown) as string;
  return { html, headings };
}

function codeBlock({ id, text, language }: { id: string; text: string; language: string }): string {
  return `<div class="copyable"><div class="copyable-text block" id="${id}" tabindex="0" role="group" aria-label="${language}"><code>${escapeHtml(text)}</code></div><button type="button" class="button secondary small" data-copy="${id}" data-done="${commonTexts.copied}" data-failed="${commonTexts.copyFailed}" hidden><span data-copy-text="">${commonTexts.copy}</span><span class="visually-hidden"> ${language}</span></button><span class="visually-hidden" role="status" data-copy-status="${id}"></span></div>\n`;
}

function uniqueId(text: string, taken: Map<string, number>): string {
  const base = plain(text)
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(/\s+/g, "-");
  const count = taken.get(base) ?? 0;
  taken.set(base, count + 1);
  return count === 0 ? base : `${base}-${count}`;
}

function plain(markdown: string): string {
  return markdown.replaceAll(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
