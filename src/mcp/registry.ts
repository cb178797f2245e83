import type { Caller } from "../connections/caller.ts";
import { TOOLSETS, toolsetOf } from "../connections/toolsets.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Tool } from "./define-tool.ts";
import { inputSchemaOf } from "./input-schema.ts";
import { type Era, META, MODERN_VERSION, type ServerInfo } from "./protocol.ts";

/** How long a host may keep the list: it changes with a release only, and then hosts should see it within minutes. */
export const LIST_TTL_MS = 300_000;

/** A tool with what was derived from it once: its published schema and the names of its arguments. */
export interface RegisteredTool {
  readonly tool: Tool;
  readonly inputSchema: JsonObject;
  readonly argumentNames: ReadonlySet<string>;
  /** True when running it may change something: it is audited before it runs and no hang-up stops it. */
  readonly changesSomething: boolean;
}

/** What decides which tools a caller is shown. */
export type Audience = Pick<Caller, "scope" | "toolsets">;

/** The tools by name, and the lists of them as the bytes that go on the wire. */
export interface Registry {
  readonly serverInfo: ServerInfo;
  /** Every tool, in the fixed order. */
  readonly all: readonly RegisteredTool[];
  find(name: string): RegisteredTool | undefined;
  /** The tools that a caller is shown: those of its scope in the core and in its toolsets, in their fixed order. */
  visibleTo(audience: Audience): readonly RegisteredTool[];
  /** The same as members of a `tools/list` result. */
  listEntries(audience: Audience): readonly JsonObject[];
  /** The `tools/list` result of an era, as the bytes of JSON text made once. */
  listResult(audience: Audience, era: Era): Buffer;
}

/** One list: its tools, as they are and as they go on the wire. */
interface Listing extends Readonly<Record<Era, Buffer>> {
  readonly visible: readonly RegisteredTool[];
  readonly entries: readonly JsonObject[];
}

/** Makes the registry of `tools`, which are listed in the order given. Throws when two share a name. */
export function createRegistry(tools: readonly Tool[], serverInfo: ServerInfo): Registry {
  const byName = new Map(tools.map((tool) => [tool.name, register(tool)]));
  if (byName.size !== tools.length) throw new Error("two tools share a name");
  const all = [...byName.values()];
  // One listing for each scope and each combination of toolsets at most, made when it is first asked for.
  const listings = new Map<string, Listing>();
  const listingFor = (audience: Audience): Listing => {
    const key = keyOf(audience);
    const known = listings.get(key);
    if (known !== undefined) return known;
    const listing = makeListing(
      all.filter((registered) => isShown(registered, audience)),
      serverInfo,
    );
    listings.set(key, listing);
    return listing;
  };
  return {
    serverInfo,
    all,
    find: (name) => byName.get(name),
    visibleTo: (audience) => listingFor(audience).visible,
    listEntries: (audience) => listingFor(audience).entries,
    listResult: (audience, era) => listingFor(audience)[era],
  };
}

function keyOf({ scope, toolsets }: Audience): string {
  let bits = 0;
  for (const [index, { name }] of TOOLSETS.entries()) if (toolsets.includes(name)) bits += 2 ** index;
  return `${scope} ${bits}`;
}

function isShown({ tool }: RegisteredTool, { scope, toolsets }: Audience): boolean {
  const toolset = toolsetOf(tool.name);
  return (scope === "write" || tool.scope === "read") && (toolset === undefined || toolsets.includes(toolset));
}

function makeListing(visible: readonly RegisteredTool[], serverInfo: ServerInfo): Listing {
  const entries = visible.map(listEntry);
  return {
    visible,
    entries,
    legacy: Buffer.from(JSON.stringify({ tools: entries })),
    [MODERN_VERSION]: Buffer.from(JSON.stringify(modernList(entries, serverInfo))),
  };
}

function register(tool: Tool): RegisteredTool {
  return {
    tool,
    inputSchema: inputSchemaOf(tool.input),
    argumentNames: new Set(Object.keys(tool.input.shape)),
    changesSomething: !tool.annotations.readOnlyHint,
  };
}

function listEntry({ tool, inputSchema }: RegisteredTool): JsonObject {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema,
    outputSchema: tool.outputSchema,
    annotations: { ...tool.annotations },
  };
}

function modernList(entries: readonly JsonObject[], serverInfo: ServerInfo): JsonObject {
  return {
    tools: entries,
    resultType: "complete",
    ttlMs: LIST_TTL_MS,
    cacheScope: "private",
    _meta: { [META.serverInfo]: { ...serverInfo } },
  };
}
