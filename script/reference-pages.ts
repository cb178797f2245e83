import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";

import { systemClock } from "../src/lib/clock.ts";
import { TOOLSETS, toolsetOf } from "../src/connections/toolsets.ts";
import { describeSettings } from "../src/config.ts";
import { ERROR_MEANINGS } from "../src/lib/error-meanings.ts";
import { ERROR_CODES } from "../src/lib/errors.ts";
import { isRecord } from "../src/lib/json.ts";
import { loadTools } from "../src/mcp/load-tools.ts";
import { createRegistry } from "../src/mcp/registry.ts";
import { openStorage } from "../src/storage/open-storage.ts";

const NOTE = "<!-- Written by script/docs from the source. Change it there. -->\n";

/** The generated reference pages: file name → text. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return { "config.md": configPage(), "errors.md": errorsPage(), "tools.md": toolsPage(), "storage.md": await storagePage() };
}

function configPage(): string {
  const rows = describeSettings().map(
    ({ name, fallback, description }) => `| \`${name}\` | ${fallback === undefined ? "–" : `\`${fallback}\``} | ${description} |`,
  );
  return `${NOTE}# Settings\n\nEnvironment variables, all optional. A bad value ends the start with one line that names it.\n\n| name | default | meaning |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function errorsPage(): string {
  const rows = ERROR_CODES.map((code) => `| \`${code}\` | ${ERROR_MEANINGS[code]} |`);
  return `${NOTE}# Errors of tools

A failed call is a result with \`isError: true\` and one text: JSON with \`code\`, \`message\` (what happened), \`what_to_do\` (the next step), and where they apply \`retry_after_s\`, \`link\`, and facts
such as \`candidates\`. Codes never change their meaning.

| code | meaning |
|---|---|
${rows.join("\n")}
`;
}

const TOOLSETS_SECTION = `## Toolsets

Every caller is shown the core. Further tools are in toolsets, so that a model's list stays short; they are chosen at consent, with a key (\`ibkr-gateway key create --toolsets\`), or by the address:
\`/mcp?toolsets=${TOOLSETS.map(({ name }) => name).join(",")}\` shows these, \`all\` every one, \`core\` none; what the address says stands in place of what the key or the grant says. A toolset is no
permission: a tool that is not listed can still be called by a caller of its scope.

| toolset | tools |
|---|---|
${TOOLSETS.map(({ name, tools }) => `| \`${name}\` | ${tools.map((tool) => `\`${tool}\``).join(", ")} |`).join("\n")}
`;

function toolsPage(): string {
  const registry = createRegistry(loadTools(), { name: "ibkr-gateway", title: "IBKR Gateway", version: "0" });
  const sections = registry.all.map(({ tool, inputSchema }) => {
    const properties = isRecord(inputSchema["properties"]) ? inputSchema["properties"] : {};
    const required = new Set(Array.isArray(inputSchema["required"]) ? inputSchema["required"] : []);
    const rows = Object.entries(properties).map(
      ([name, schema]) => `| \`${name}\`${required.has(name) ? " (required)" : ""} | ${typeText(schema)} |`,
    );
    const table = rows.length === 0 ? "No arguments." : `| argument | form |\n|---|---|\n${rows.join("\n")}`;
    const hints = Object.entries(tool.annotations)
      .filter(([, value]) => value === true)
      .map(([hint]) => `\`${hint}\``);
    return `## ${tool.name}\n\n${tool.title}. Scope \`${tool.scope}\`${toolsetText(tool.name)}${hints.length === 0 ? "" : `; ${hints.join(", ")}`}.\n\n${tool.description}\n\n${table}\n`;
  });
  return `${NOTE}# Tools\n\nWhat each answers is in [answers.md](answers.md). Arguments are read leniently (\`"265598"\`, \`"true"\`, \`buy\`, a JSON-encoded list); unknown names are refused with the nearest known one.\n\n${TOOLSETS_SECTION}\n${sections.join("\n")}`;
}

function toolsetText(tool: string): string {
  const toolset = toolsetOf(tool);
  return toolset === undefined ? "" : `; toolset \`${toolset}\``;
}

function typeText(schema: unknown): string {
  if (!isRecord(schema)) return "";
  const { type, description, enum: values } = schema;
  const types = Array.isArray(type) ? type.join(" or ") : typeof type === "string" ? type : "";
  const choices = Array.isArray(values) ? `one of ${values.map((value) => `\`${String(value)}\``).join(", ")}` : "";
  return [choices === "" ? types : choices, typeof description === "string" ? description : ""].filter((part) => part !== "").join(": ");
}

async function storagePage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-reference-"));
  const storage = await openStorage({ file: join(folder, "empty.sqlite"), log: pino({ level: "silent" }), clock: systemClock });
  try {
    const tables = await storage.db.introspection.getTables();
    const sections = tables
      .filter((table) => !table.name.startsWith("sqlite_"))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((table) => {
        const rows = table.columns.map(
          (column) => `| \`${column.name}\` | ${column.dataType.toLowerCase()} | ${column.isNullable ? "may be null" : ""} |`,
        );
        return `## ${table.name}\n\n| column | type | |\n|---|---|---|\n${rows.join("\n")}\n`;
      });
    return `${NOTE}# Tables\n\nOne schema for SQLite and PostgreSQL: text and bigint only. Booleans are 0 or 1, times epoch milliseconds, money and JSON text. What each column holds is said in \`src/storage/database.ts\`.\n\n${sections.join("\n")}`;
  } finally {
    await storage.close();
    rmSync(folder, { recursive: true });
  }
}
