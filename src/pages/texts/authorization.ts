/** Texts of the page for a person whose browser a host sent here with a request that can't be answered. */
export const authorizationTexts = {
  invalid_client: {
    title: "The app that sent you here is not known",
    paragraphs: [
      "This gateway doesn't know the client id that the app sent, or can't read the app's own description. The gateway's database may have been replaced since the app registered.",
      "Let the app forget its registration, then connect again:",
    ],
  },
  invalid_redirect_uri: {
    title: "You were not sent back",
    paragraphs: [
      "The app asked to be answered at an address that it did not register. To be safe, nothing was sent there.",
      "If you were connecting an app yourself, remove its connection there and add it again. If you followed a link from somebody else, close this page.",
    ],
  },
  session_not_found: {
    title: "This authorization is over",
    paragraphs: [
      "It was already answered, took too long, was begun in another browser, or this browser refuses cookies.",
      "Go back to the app and connect again, in one browser that accepts cookies from this page.",
    ],
  },
  server_error: {
    title: "Something failed here",
    paragraphs: ["The gateway could not go on. Try again in a moment; its log says what happened."],
  },
  too_many: {
    title: "Too many apps are being connected",
    paragraphs: ["Authorizations were begun more often than this gateway allows. Wait some minutes, then connect the app again."],
  },
  wrong_method: {
    title: "This address begins an authorization",
    paragraphs: ["An app sends your browser here with a link of its own. Go back to the app and connect again."],
  },
  other: {
    title: "The app's request can't be answered",
    paragraphs: ["The app asked for access in a way that this gateway doesn't take. Remove its connection there and add it again."],
  },
  /** How people make each host forget a client id that this gateway doesn't know (any more). */
  forgetClient: [
    { name: "Claude", value: "Settings → Connectors: remove this connector, then add it again." },
    { name: "ChatGPT", value: "Settings → Apps & Connectors: disconnect and delete this app, then create it again." },
    {
      name: "Claude Code",
      value: "Run /mcp, choose this server and “Clear authentication”; or run claude mcp remove NAME and add it again.",
    },
    { name: "Codex", value: "Run codex mcp logout NAME, then codex mcp login NAME." },
    { name: "Cursor", value: "Settings → MCP: remove this server and add it again." },
    { name: "VS Code", value: "Run the command “Authentication: Remove Dynamic Authentication Providers”, then start the server again." },
  ],
};
