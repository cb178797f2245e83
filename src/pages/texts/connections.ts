/** Texts of the console's pages about connections that exist. */
export const connectionTexts = {
  title: "Connections",
  lead: "Each is one way to your accounts. Apps and keys work on the connection that you chose for them.",
  add: "Add a connection",
  list: "Your connections",
  empty: {
    title: "No connections yet",
    message:
      "A connection is one way to reach accounts: a simulator to try things out, an IBKR paper account, or a live one. Once you have one, apps like Claude and ChatGPT, and your own scripts, can use it.",
  },
  drafts: {
    heading: "Set-ups under way",
    goOn: "Continue set-up",
    changed: "last change",
    discard: "Discard",
    nameless: "no name yet",
  },
  sharedName: (labels: readonly string[]) =>
    labels.length === 0
      ? "Another user of this gateway has a connection with the same IBKR user name. IBKR gives a user name one session at a time, so they take it from each other, and share its request budget."
      : `${labels.join(", ")}: the same IBKR user name. IBKR gives a user name one session at a time, so these connections take it from each other, and share its request budget.`,
  sharedNameTitle: "The same IBKR user more than once",
  accounts: "Accounts",
  accountsUnknown: "known after the first session",
  noAccounts: "none",
  moreAccounts: (count: number) => `and ${count} more`,
  verified: "Last verified",
  never: "not yet",
  kind: "Kind",
  userName: "IBKR user name",
  created: "Added",
  mcpUrl: "MCP URL",
  mcpHint: "The address for apps. It is the same for all your connections: the app's sign-in, or the key, says which one is meant.",
  backToConnection: "Back to the connection",
  manage: "Manage",
  portfolio: "Portfolio",
  useIt: "Use it",
  keys: "API keys",
  apps: "Connected apps",
  callers: {
    title: "Used by",
    count: (keys: number, apps: number) => `${counted(keys, "API key")}, ${counted(apps, "connected app")}`,
  },
  settings: "Settings of this connection",
  test: {
    button: "Test",
    running: "Testing…",
    runningLong: "Testing now: opening its session anew, then its accounts and one quote.",
    passed: "Tested: it works",
    failed: "Tested: it doesn't work",
    failedPartly: "Tested: not everything works",
    stopped: "The test did not come to an end. Test again in a moment.",
    accounts: (accounts: readonly string[]) => (accounts.length === 1 ? `Account ${accounts[0] ?? ""}` : `Accounts ${accounts.join(", ")}`),
    invented: "All of it is simulated: invented money on an invented market.",
  },
  pause: {
    button: "Pause",
    resume: "Resume",
    heading: "Pause",
    lead: "A paused connection sends nothing to the broker: its session ends, and apps and keys are told that you paused it. Orders that work at the broker stay there.",
    pausedLead: "It is paused. Resume it to let apps and keys use it again.",
  },
  rename: {
    heading: "Name",
    label: "Name",
    button: "Rename",
    wrong: "Enter a name of 1 to 60 characters.",
  },
  keepWarm: {
    heading: "Keep its session open",
    off: "Its session opens at the first call and closes when it wasn't used for a while, which leaves the IBKR user free for TWS or the phone.",
    on: "Its session is kept open while nobody calls, so that the first call is fast. The IBKR user can't be used in TWS at the same time without the two taking it from each other.",
    turnOn: "Keep it open",
    turnOff: "Open on demand only",
  },
  takeOver: {
    title: "Take over the session",
    button: "Take over the session",
    open: "Take over the session…",
    lead: "IBKR gives a user one brokerage session at a time. Another login has it now.",
    what: [
      "The other login loses it at once: Trader Workstation, IBKR Mobile, IB Gateway or another program of this user stops getting prices and can't send orders until it logs in again.",
      "Orders that work at IBKR are not touched.",
      "If that program logs in again, it may take the session back; then the gateway steps back again and says so here.",
    ],
    notNeeded: "No other login holds the session, as far as is known. Taking it over would only open it anew.",
    tooSlow: "The broker did not answer in time. Look at the state of the connection in a moment, then try again.",
    cancel: "Leave it",
  },
  liveTrading: {
    heading: "Live trading",
    title: "Allow live trading",
    off: "Off: apps and keys can read this live connection, but every order through it is refused, whatever their permission.",
    on: "On: apps and keys with write permission can place orders with real money.",
    allow: "Allow live trading…",
    forbid: "Stop live trading",
    badgeOff: "Orders off",
    badgeOn: "Orders on",
    lead: "This connection trades real money.",
    warnings: [
      "Every app and key with write permission on this connection will be able to place orders, up to all of the account's buying power.",
      "An AI model may misread what you meant, or be misled by what it reads. Orders that are filled can't be undone.",
      "Nobody asks you before each order. What an app asks its user is up to that app.",
    ],
    now: "With write permission at present",
    confirm: (word: string) => `Type ${word} to confirm`,
    word: "REAL MONEY",
    wrong: (word: string) => `Type ${word}, in capitals.`,
    submit: "Allow orders with real money",
    cancel: "Leave it off",
  },
  rotate: {
    heading: "Credentials",
    lead: "Give it other keys or tokens, for example after IBKR asked for new ones. Its name, keys and apps stay as they are.",
    none: "It needs none: it reaches this gateway's own simulator.",
    button: "Change credentials",
  },
  remove: {
    heading: "Delete",
    title: "Delete a connection",
    open: "Delete it…",
    lead: "Its credentials, keys and order records are deleted here, at once and for good.",
    stops: "What stops working",
    keys: (count: number) =>
      count === 0
        ? "No API key: there is none in force."
        : count === 1
          ? "1 API key: whatever uses it gets an error."
          : `${count} API keys: whatever uses them gets an error.`,
    apps: (count: number) =>
      count === 0
        ? "No app: none is connected."
        : count === 1
          ? "1 connected app: it is cut off."
          : `${count} connected apps: they are cut off.`,
    brokerStays:
      "Nothing is done at the broker: positions stay, and orders that work there stay working. Cancel them first if you want that.",
    atIbkr: "At IBKR the access token stays valid until you revoke it on its OAuth page.",
    confirm: "Type its name to confirm",
    wrong: "That is not its name.",
    submit: "Delete it",
    cancel: "Keep it",
  },
  said: {
    old_form: { tone: "warning", text: "That page was older than your sign-in, so nothing was done. Here it is again." },
    renamed: { tone: "success", text: "The new name is set." },
    paused: { tone: "success", text: "Paused. Nothing is sent to the broker any more." },
    resumed: { tone: "success", text: "Resumed. Apps and keys can use it again." },
    warm: { tone: "success", text: "Its session is kept open from now on." },
    cold: { tone: "success", text: "Its session opens on demand from now on." },
    taken: { tone: "success", text: "The session is here now." },
    live_on: { tone: "success", text: "Orders with real money are allowed now." },
    orders_on: { tone: "success", text: "Orders are resumed." },
    live_off: { tone: "success", text: "Orders are refused from now on." },
    rotated: { tone: "success", text: "The new credentials are in use. The test below shows whether they work." },
    deleted: { tone: "success", text: "The connection is deleted." },
    draft_kept: { tone: "success", text: "What you entered is kept. Continue the set-up whenever you like within 14 days." },
    draft_deleted: { tone: "success", text: "The set-up is discarded." },
  } as Readonly<Record<string, { readonly tone: "success" | "warning"; readonly text: string }>>,
};

function counted(count: number, what: string): string {
  return `${count === 0 ? "no" : count} ${what}${count === 1 || count === 0 ? "" : "s"}`;
}
