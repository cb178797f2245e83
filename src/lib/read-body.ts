import type { IncomingMessage } from "node:http";

/** What became of reading a request's body. */
export type Body = { readonly kind: "text"; readonly text: string } | { readonly kind: "too_large" } | { readonly kind: "hung_up" };

/** Reads a body of at most `limitBytes` as text; more than that is refused as soon as it is known. Slow senders are cut off by the server's own time limit. */
export function readBody(req: IncomingMessage, limitBytes: number): Promise<Body> {
  if (Number(req.headers["content-length"] ?? 0) > limitBytes) return Promise.resolve({ kind: "too_large" });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    req.on("data", (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        chunks.length = 0;
        resolve({ kind: "too_large" });
        return;
      }
      chunks.push(chunk);
    });
    req.on("end", () => resolve({ kind: "text", text: textOf(chunks) }));
    req.on("error", () => resolve({ kind: "hung_up" }));
    req.on("close", () => resolve({ kind: "hung_up" }));
  });
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  if (first === undefined) return "";
  return (chunks.length === 1 ? first : Buffer.concat(chunks)).toString("utf8");
}
