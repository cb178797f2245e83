/** Texts of the page about what failed of late. */
export const errorListTexts = {
  title: "Errors",
  lead: (days: number) => `What failed in the last ${days} days, with what it means and what to do.`,
  caption: "Failures by code, call and connection, the latest first",
  columns: { what: "What failed", means: "What it means", connection: "Connection", count: "How often", first: "First", last: "Last" },
  calls: "Its calls",
  help: "Every error code, with what to do",
  unknownCode: "The request was refused before a tool ran.",
  badRequest: "What was sent is no request that this server takes.",
  noCode: "no code",
  empty: { title: "No errors", text: (days: number) => `Nothing failed in the last ${days} days.` },
};
