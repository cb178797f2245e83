import { type ExportedRows, exportAccount } from "../../storage/account-export.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * Writes all that belongs to a user as one JSON object, `{"format", "exported_at", "<part>": [rows]…}`, while it is read:
 * however long the record of calls is, only a page of it is in memory. Times are epoch ms, as they are stored.
 */
export function accountExport(storage: Storage, userId: string, now: number): ReadableStream<Uint8Array> {
  const text = writeParts(exportAccount(storage, userId), now);
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await text.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => {
      await text.return(undefined);
    },
  });
}

async function* writeParts(parts: AsyncGenerator<ExportedRows>, now: number): AsyncGenerator<string> {
  yield `{\n"format": "ibkr-gateway account 1",\n"exported_at": ${JSON.stringify(new Date(now).toISOString())}`;
  let current: string | undefined;
  let isEmpty = true;
  for await (const { name, rows } of parts) {
    if (name !== current) {
      yield `${current === undefined ? "" : "\n]"},\n${JSON.stringify(name)}: [`;
      current = name;
      isEmpty = true;
    }
    if (rows.length > 0) {
      yield `${isEmpty ? "" : ","}\n${rows.map((row) => JSON.stringify(row)).join(",\n")}`;
      isEmpty = false;
    }
  }
  yield `${current === undefined ? "" : "\n]"}\n}\n`;
}
