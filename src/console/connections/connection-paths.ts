/** Where the pages about connections are. */
export const CONNECTIONS_PATH = "/console";

/** The page of one connection, or one of the pages below it. */
export function connectionPath(connectionId: string, below = ""): string {
  return `${CONNECTIONS_PATH}/connections/${encodeURIComponent(connectionId)}${below === "" ? "" : `/${below}`}`;
}

/** Where a connection is added; with a draft's id, where its set-up goes on; with further parts, a step or a file of it. */
export function setUpPath(...parts: readonly string[]): string {
  return [`${CONNECTIONS_PATH}/connections/new`, ...parts.map(encodeURIComponent)].join("/");
}
