/** Texts of the home page. Names of tools and addresses come from the server itself. */
export const homeTexts = {
  title: "Ask your AI about your IBKR account, and let it trade within your limits",
  documentTitle: "IBKR Gateway: an MCP server for Interactive Brokers accounts",
  description:
    "Connect Claude, ChatGPT, Cursor, any MCP host or a script to an Interactive Brokers account: read-only or read & write, paper or live, revoked at once.",
  lead: "IBKR Gateway connects Claude, ChatGPT, Cursor, any other MCP host or your own script to an Interactive Brokers account. You choose the connection, the scope and the accounts, and you can cut anything off at once.",
  begin: "Open the console",
  help: "Read how to connect",
  inShort: {
    title: "In short",
    address: "MCP server",
    text: "Add this address to your host as a custom connector. It opens our consent page, you pick a connection and a scope, and the tools are there.",
  },
  get: {
    title: "What you get",
    cards: [
      {
        title: "One MCP server for every host",
        text: "Claude, ChatGPT, Cursor, VS Code, Codex and any other host that speaks the Model Context Protocol, in its current and earlier revisions.",
      },
      {
        title: "OAuth the way hosts expect it",
        text: "OAuth 2.1 with discovery and dynamic registration. Nothing to paste: the host finds its way by itself.",
      },
      {
        title: "A scope for each app",
        text: "Read-only or read & write, all accounts or some, for a day or until you revoke it. Read-only apps never see the tools that write.",
      },
      {
        title: "Simulated, paper and live",
        text: "Try everything with invented money first. Which of the three a connection is gets proven by the broker at each session and is shown everywhere.",
      },
      {
        title: "API keys for scripts",
        text: "Keys per connection with scope, accounts and an end. No browser, no refresh: one header with each request.",
      },
      {
        title: "It says what is wrong",
        text: "Each connection shows its health layer by layer, what failed last and what to do about it, and mends itself where it may.",
      },
    ],
  },
  how: {
    title: "How it works",
    steps: [
      "Sign in and add a connection: the simulator in one click, or IBKR by its own OAuth, or a Client Portal Gateway that you run.",
      "Add the address of this server to your host as a connector.",
      "The host opens our consent page. Pick the connection, the scope and the accounts, and approve.",
      "Ask: “What is my portfolio worth?”, “Quote NVDA”, “Sell half of my KO at 71 or better”.",
      "See every call in the console, and revoke an app or a key whenever you like.",
    ],
  },
  hosts: {
    title: "Hosts",
    lead: "Step by step, with what to paste where:",
    cards: [
      { href: "/help/claude", title: "Claude.ai and Claude Desktop", text: "Custom connector by address." },
      { href: "/help/claude-code", title: "Claude Code", text: "One command." },
      { href: "/help/chatgpt", title: "ChatGPT", text: "Connector by address, on plans that have them." },
      { href: "/help/cursor", title: "Cursor", text: "One click, or four lines of JSON." },
      { href: "/help/vs-code", title: "VS Code", text: "One click, or four lines of JSON." },
      { href: "/help/codex", title: "Codex", text: "One command." },
      { href: "/help/any-host", title: "Any other host", text: "The address is all that it needs." },
      { href: "/help/api-keys", title: "Your own script", text: "curl, TypeScript, Python." },
    ],
  },
  tools: { title: "Tools", lead: "What a host can do. All that write are hidden from read-only callers.", writes: "writes" },
  security: {
    title: "Security",
    points: [
      {
        title: "No IBKR password, ever",
        text: "Connections use IBKR's own OAuth keys or a gateway on your machine. Secrets are sealed with AES-256-GCM under a key that isn't in the database, and never reach a log.",
      },
      {
        title: "An order is never sent twice",
        text: "Each order is written down before it is sent, once. When an answer is lost the gateway looks the order up; it doesn't send it again.",
      },
      {
        title: "Nothing is confirmed behind your back",
        text: "When IBKR asks a question about an order, the question is shown and the order waits. Live accounts take no orders until you enable trading on that connection.",
      },
      {
        title: "You see and stop everything",
        text: "Every call is on record with app, scope, connection and outcome. Revoking an app or a key works on its very next request.",
      },
    ],
  },
  selfHost: {
    title: "Run your own",
    text: "The gateway is open source under the MIT licence: one Node.js process with an SQLite file, on your laptop, a small server, or for a firm with PostgreSQL.",
    link: "How to run it",
  },
  faq: {
    title: "Questions",
    items: [
      {
        question: "Is this made by Interactive Brokers?",
        answer:
          "No. It is an independent program that uses the Web API which Interactive Brokers offers to its customers. It isn't affiliated with, endorsed by or supported by Interactive Brokers.",
      },
      {
        question: "Do I need an IBKR account to try it?",
        answer:
          "No. The built-in simulator behaves like IBKR's Web API with invented money on an invented market, and is marked as simulated everywhere.",
      },
      {
        question: "Can the AI trade without asking me?",
        answer:
          "Only an app that you gave read & write can place orders at all, and a live connection takes none until you enable trading on it. Your host may ask you before each call, too.",
      },
      {
        question: "Why is my TWS logged out, or why does the gateway wait?",
        answer:
          "IBKR allows one brokerage session for each user name. The gateway yields to TWS and to the phone unless you tell it to take over. A second user name at IBKR avoids the question for good.",
      },
      {
        question: "What does it store?",
        answer:
          "Your sign-in, your connections with their sealed keys, and the record of calls. No quotes or portfolios are kept. You can export and delete all of it.",
      },
      {
        question: "What does it cost?",
        answer:
          "The software is free. IBKR charges its usual commissions, and real-time market data needs the subscriptions that it needs anywhere.",
      },
    ],
  },
  closing: { title: "Try it with invented money", text: "It takes a minute, and nothing can be lost." },
};
