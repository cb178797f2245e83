/**
 * The named sets of tools beyond the core set, which every caller sees. They keep a model's list short and are no permission: a tool
 * outside of a caller's sets is only not listed. A tool that no set names belongs to the core.
 */
export const TOOLSETS = [
  { name: "reports", title: "Reports", tools: ["get_performance", "get_transactions"] },
  { name: "derivatives", title: "Options and futures", tools: ["get_option_chain", "get_futures"] },
  { name: "research", title: "Research", tools: ["run_scanner", "get_exchange_rate"] },
] as const;

/** Name of a set of tools beyond the core. */
export type Toolset = (typeof TOOLSETS)[number]["name"];

/** What may be written for no set at all. */
const CORE_WORD = "core";
/** What may be written for every set. */
const ALL_WORD = "all";

/** Every word that names sets: `core`, the sets, `all`. */
export const TOOLSET_WORDS: readonly string[] = [CORE_WORD, ...TOOLSETS.map(({ name }) => name), ALL_WORD];

/** Sets that were named, once each in their own order, and what names none (as it was written). */
export interface ReadToolsets {
  readonly toolsets: readonly Toolset[];
  readonly unknown: readonly string[];
}

/** Reads names of sets in any letter case; `core` adds nothing, `all` adds every set, an empty name is passed over. */
export function readToolsets(names: readonly string[]): ReadToolsets {
  const words = new Map(names.map((name) => [name.trim().toLowerCase(), name]));
  words.delete("");
  const unknown = [...words].flatMap(([word, name]) => (TOOLSET_WORDS.includes(word) ? [] : [name]));
  const toolsets = TOOLSETS.filter(({ name }) => words.has(name) || words.has(ALL_WORD)).map(({ name }) => name);
  return { toolsets, unknown };
}

/** The set that a tool belongs to; undefined for a tool of the core. */
export function toolsetOf(tool: string): Toolset | undefined {
  return TOOLSETS.find(({ tools }) => tools.some((name) => name === tool))?.name;
}
