import type { ServerResponse } from "node:http";

/** Sends a web-standard response on node's own, where no framework stands between. */
export async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  if (res.destroyed || res.headersSent) return;
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.setHeader("Content-Length", body.length);
  res.end(body);
}
