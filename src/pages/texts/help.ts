/** Texts around the help pages; their own texts stand in `docs/help`. */
export const helpTexts = {
  title: "Help",
  lead: "How to connect an AI host or a script to an Interactive Brokers account, and what to do when something doesn't work.",
  back: "All help pages",
  onThisPage: "On this page",
  pages: "Help pages",
  groups: {
    start: "Start here",
    hosts: "Connect a host",
    accounts: "IBKR connections",
    use: "Use it",
    run: "Run your own",
    legal: "Privacy and terms",
  },
  links: { home: "Home", help: "Help", console: "Console", signIn: "Sign in" },
};
