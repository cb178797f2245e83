import type { Login } from "./login.ts";

/** How the WebSocket of a session is opened. */
export interface SocketAccess {
  /** `wss://…/v1/api/ws?…`; carries the access token, so it is never logged. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly generation: number;
}

/** Makes the access to the socket of the session that IBKR calls `id`. */
export function accessToSocket(
  { baseUrl, login }: { readonly baseUrl: string; readonly login: Pick<Login, "cookie" | "socketQuery"> },
  { id, generation }: { readonly id: string; readonly generation: number },
): SocketAccess {
  const url = new URL(`${baseUrl.replace(/^http/, "ws")}/ws`);
  for (const [name, value] of Object.entries(login.socketQuery())) url.searchParams.set(name, value);
  const { cookie } = login;
  return { url: url.href, headers: { cookie: cookie === undefined ? `api=${id}` : `${cookie}; api=${id}` }, generation };
}
