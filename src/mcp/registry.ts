import type { Scope } from "../connections/caller.ts";
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

/** The tools by name, and the lists of them as the bytes that go on the wire. */
export interface Registry {
  readonly serverInfo: ServerInfo;
  find(name: string): RegisteredTool | undefined;
  /** The tools that a scope sees, in their fixed order. */
  visibleTo(scope: Scope): readonly RegisteredTool[];
  /** The `tools/list` result for a scope and an era, as the bytes of JSON text made once. */
  listResult(scope: Scope, era: Era): Buffer;
}

/** Makes the registry of `tools`, which are listed in the order given. Throws when two share a name. */
export function createRegistry(tools: readonly Tool[], serverInfo: ServerInfo): Registry {
  const byName = new Map(tools.map((tool) => [tool.name, register(tool)]));
  if (byName.size !== tools.length) throw new Error("two tools share a name");
  const visible: Record<Scope, readonly RegisteredTool[]> = {
    read: [...byName.values()].filter(({ tool }) => tool.scope === "read"),
    write: [...byName.values()],
  };
  const render = (scope: Scope): Record<Era, Buffer> => {
    const entries = visible[scope].map(listEntry);
    return {
      legacy: Buffer.from(JSON.stringify({ tools: entries })),
      [MODERN_VERSION]: Buffer.from(JSON.stringify(modernList(entries, serverInfo))),
    };
  };
  const rendered: Record<Scope, Record<Era, Buffer>> = { read: render("read"), write: render("write") };
  return {
    serverInfo,
    find: (name) => byName.get(name),
    visibleTo: (scope) => visible[scope],
    listResult: (scope, era) => rendered[scope][era],
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
