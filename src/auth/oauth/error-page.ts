/** What went wrong with an authorization, as the OAuth library says it. */
export interface AuthorizationFault {
  readonly error: string;
  readonly description: string | undefined;
}

/** How people make each host forget a client id that this gateway doesn't know (any more). */
const FORGET_CLIENT: readonly (readonly [string, string])[] = [
  ["Claude", "Settings → Connectors: remove this connector, then add it again."],
  ["ChatGPT", "Settings → Apps & Connectors: disconnect and delete this app, then create it again."],
  ["Claude Code", "Run /mcp, choose this server and “Clear authentication”; or run claude mcp remove NAME and add it again."],
  ["Codex", "Run codex mcp logout NAME, then codex mcp login NAME."],
  ["Cursor", "Settings → MCP: remove this server and add it again."],
  ["VS Code", "Run the command “Authentication: Remove Dynamic Authentication Providers”, then start the server again."],
];

/** A page for the person whose browser a host sent here with a request that can't be answered. Nobody is sent on. */
export function authorizationErrorPage(fault: AuthorizationFault): string {
  const { title, paragraphs } = explain(fault);
  const hosts =
    fault.error === "invalid_client" ? `<dl>${FORGET_CLIENT.map(([host, how]) => `<dt>${host}</dt><dd>${how}</dd>`).join("")}</dl>` : "";
  const code = `${fault.error}${fault.description === undefined ? "" : `: ${fault.description}`}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("\n")}
${hosts}
<p><small>${escapeHtml(code)}</small></p>
</main>
</body>
</html>
`;
}

function explain({ error }: AuthorizationFault): { readonly title: string; readonly paragraphs: readonly string[] } {
  switch (error) {
    case "invalid_client":
      return {
        title: "The app that sent you here is not known",
        paragraphs: [
          "This gateway doesn't know the client id that the app sent, or can't read the app's own description. The gateway's database may have been replaced since the app registered.",
          "Let the app forget its registration, then connect again:",
        ],
      };
    case "invalid_redirect_uri":
      return {
        title: "You were not sent back",
        paragraphs: [
          "The app asked to be answered at an address that it did not register. To be safe, nothing was sent there.",
          "If you were connecting an app yourself, remove its connection there and add it again. If you followed a link from somebody else, close this page.",
        ],
      };
    case "session_not_found":
      return {
        title: "This authorization is over",
        paragraphs: [
          "It was already answered, took too long, was begun in another browser, or this browser refuses cookies.",
          "Go back to the app and connect again, in one browser that accepts cookies from this page.",
        ],
      };
    case "server_error":
      return {
        title: "Something failed here",
        paragraphs: ["The gateway could not go on. Try again in a moment; its log says what happened."],
      };
    default:
      return {
        title: "The app's request can't be answered",
        paragraphs: ["The app asked for access in a way that this gateway doesn't take. Remove its connection there and add it again."],
      };
  }
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
