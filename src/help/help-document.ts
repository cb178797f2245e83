import { z } from "zod";

/** One help page as it stands in `docs/help`: a head of `name: value` lines between `---`, then Markdown. */
export interface HelpDocument {
  /** Last part of its URL: the file's name. */
  readonly slug: string;
  readonly title: string;
  /** One or two sentences: under the heading, in the list of pages, and for search engines. */
  readonly summary: string;
  readonly group: HelpGroup;
  /** Place within its group, ascending. */
  readonly order: number;
  readonly markdown: string;
}

/** The parts of the help, in the order in which they are listed. */
export const HELP_GROUPS = ["start", "hosts", "accounts", "use", "run", "legal"] as const;

export type HelpGroup = (typeof HELP_GROUPS)[number];

const head = z.strictObject({
  title: z.string().min(1),
  summary: z.string().min(1),
  group: z.enum(HELP_GROUPS),
  order: z.coerce.number().int(),
});

/** Reads a help page. Throws when its head is missing or incomplete. */
export function readHelpDocument(slug: string, text: string): HelpDocument {
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text);
  if (match === null) throw new Error(`docs/help/${slug}.md has no head between --- lines`);
  const [, lines = "", markdown = ""] = match;
  const entries = lines.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  return { slug, ...head.parse(Object.fromEntries(entries)), markdown };
}
