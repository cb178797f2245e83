/** Texts about what calls the gateway, be it a key or an app. */
export const callerTexts = {
  scopes: { read: "read", write: "read and write" },
  allAccounts: "all",
  never: "never",
  neverUsed: "never",
  from: "from",
  by: "by",
  key: "API key",
  app: "App",
  gone: "deleted",
};
