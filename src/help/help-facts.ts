/** A tool as the help describes it. */
export interface HelpTool {
  readonly name: string;
  readonly title: string;
  /** What it does and one example, as hosts see it. */
  readonly description: string;
  readonly scope: "read" | "write";
  /** The toolset that holds it; undefined for what every caller sees. */
  readonly toolset: string | undefined;
}

/** What the help says of this very server and version: help pages name it in double braces. */
export interface HelpFacts {
  /** Origin that hosts and browsers use. */
  readonly publicUrl: string;
  readonly version: string;
  /** Where whoever runs this server is reached: an address of mail or of a page; undefined when they don't say. */
  readonly operatorContact: string | undefined;
  readonly tools: readonly HelpTool[];
  /** Meaning by error code. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Name in the configuration of hosts. */
export const SERVER_NAME = "ibkr-gateway";

/** Link that adds this server to Cursor with one click. Source: Cursor's documentation of MCP install links. */
export function cursorInstallUrl(publicUrl: string): string {
  const config = Buffer.from(JSON.stringify({ url: `${publicUrl}/mcp` })).toString("base64");
  return `cursor://anysphere.cursor-deeplink/mcp/install?name=${SERVER_NAME}&config=${encodeURIComponent(config)}`;
}

/** Link that adds this server to Visual Studio Code with one click. Source: VS Code's documentation of MCP URL handling. */
export function vscodeInstallUrl(publicUrl: string): string {
  const config = { name: SERVER_NAME, type: "http", url: `${publicUrl}/mcp` };
  return `vscode:mcp/install?${encodeURIComponent(JSON.stringify(config))}`;
}

/** Puts the facts in the place of their names, such as `{{MCP_URL}}`. Throws when a page names a fact that there is not. */
export function fillFacts(markdown: string, facts: HelpFacts): string {
  const known: Readonly<Record<string, () => string>> = {
    PUBLIC_URL: () => facts.publicUrl,
    MCP_URL: () => `${facts.publicUrl}/mcp`,
    SERVER_NAME: () => SERVER_NAME,
    VERSION: () => facts.version,
    OPERATOR: () => operator(facts.operatorContact),
    CURSOR_INSTALL_URL: () => cursorInstallUrl(facts.publicUrl),
    VSCODE_INSTALL_URL: () => vscodeInstallUrl(facts.publicUrl),
    TOOLS: () => facts.tools.map(toolSection).join("\n"),
    TOOL_LIST: () => toolList(facts.tools),
    ERRORS: () => errorSections(facts.errors),
  };
  return markdown.replaceAll(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
    const fact = known[name];
    if (fact === undefined) throw new Error(`a help page names {{${name}}}, which there is not`);
    return fact();
  });
}

function operator(contact: string | undefined): string {
  if (contact === undefined) return "ask whoever gave you its address";
  return `reach them at <${contact.includes("@") && !contact.includes(":") ? `mailto:${contact}` : contact}>`;
}

function toolSection({ name, title, description, scope, toolset }: HelpTool): string {
  const { text, example } = splitExample(description);
  const facts = [
    scope === "write" ? "Write scope only." : "Read-only and read & write.",
    ...(toolset === undefined ? [] : [`In the toolset \`${toolset}\`.`]),
  ].join(" ");
  const code = example === undefined ? "" : `\n\`\`\`json\n${JSON.stringify({ name, arguments: JSON.parse(example) }, null, 2)}\n\`\`\`\n`;
  return `### ${name}\n\n**${title}.** ${text} *${facts}*\n${code}`;
}

/** Descriptions end with one example of the arguments. */
export function splitExample(description: string): { readonly text: string; readonly example: string | undefined } {
  const match = /^([\s\S]*?)\s*Examples?: (\{.*?\})(?=$|[\s.,;])/.exec(description);
  const [, text, example] = match ?? [];
  return text === undefined || example === undefined || !isJson(example) ? { text: description, example: undefined } : { text, example };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function toolList(tools: readonly HelpTool[]): string {
  return tools
    .map(({ name, description, scope }) => {
      const [sentence = ""] = splitExample(description).text.split(/(?<=[.;])\s/);
      return `- [\`${name}\`](/help/tools#${name}) — ${sentence.replace(/[.;]$/, "")}${scope === "write" ? " (**write scope only**)" : ""}`;
    })
    .join("\n");
}

function errorSections(errors: HelpFacts["errors"]): string {
  return Object.entries(errors)
    .map(([code, meaning]) => `### ${code}\n\n${meaning}\n`)
    .join("\n");
}
