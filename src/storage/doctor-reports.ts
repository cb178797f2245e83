import type { ConnectionKey } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** Stores what a run of the doctor saw, with the mark that follows from it; without `provenAt` the mark stays as it is. */
export async function storeDoctorReport(
  storage: Storage,
  key: ConnectionKey,
  { report, provenAt }: { readonly report: string; readonly provenAt?: number | null | undefined },
): Promise<void> {
  await storage.db
    .updateTable("connections")
    .set({ doctor_report: report, ...(provenAt === undefined ? {} : { duplicate_refusals_proven_at: provenAt }) })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .execute();
}
