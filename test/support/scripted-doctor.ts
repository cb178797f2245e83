import type { Broker } from "../../src/broker/broker.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { createAuditLog } from "../../src/storage/audit-writer.ts";
import type { ConnectionRow } from "../../src/storage/connections.ts";
import { type DoctorDeps, type DoctorOptions, type DoctorResult, runDoctor } from "../../src/trading/doctor.ts";
import { type DoctorReport, parseDoctorReport } from "../../src/trading/doctor-findings.ts";
import { fakeClock } from "./fake-clock.ts";
import type { OrderRows } from "./order-rows.ts";
import { doctorBroker } from "./doctor-broker.ts";
import { silentLog as log } from "./silent-log.ts";
import { singleProcess } from "./single-process.ts";

let runs = 0;

/** The doctor over a connection's rows, at a broker that does as a test says, on a clock that passes each wait at once. */
export async function scriptedDoctor(rows: OrderRows) {
  const { storage } = rows;
  const clock = fakeClock();
  const ibkr = doctorBroker(clock);
  const audit = createAuditLog({ storage, clock, log });
  /** What was opened: the connection, and the signal that ends it. */
  const opened: unknown[] = [];
  const change = (values: Partial<ConnectionRow>) => storage.db.updateTable("connections").set(values).execute();
  const connection = () => storage.db.selectFrom("connections").selectAll().executeTakeFirstOrThrow();
  await rows.clear();
  await change({ mode: "paper", paused_at: null, live_trading_enabled_at: null, doctor_report: null, duplicate_refusals_proven_at: 1 });
  return {
    clock,
    ibkr,
    audit,
    opened,
    change,
    connection,
    stored: async (): Promise<DoctorReport | undefined> => parseDoctorReport((await connection()).doctor_report),
    attempts: () => storage.db.selectFrom("order_attempts").selectAll().execute(),
    /** The newest entry of the audit log. */
    audited: () => storage.db.selectFrom("audit_log").selectAll().orderBy("sequence", "desc").executeTakeFirst(),
    /** The orders that were sent. */
    orders: () => ibkr.asked.filter((call) => call.startsWith("order")),
    run: async (options: Partial<DoctorOptions> = {}, over: Partial<DoctorDeps> = {}): Promise<DoctorResult> => {
      runs += 1;
      const open: DoctorDeps["connections"]["open"] = async ({ connectionId, userId }, signal) => {
        opened.push([{ connectionId, userId }, signal]);
        return await Promise.resolve({ connectionId, label: "", broker: ibkr.broker });
      };
      const random = seededRandom(`doctor ${runs}`);
      const deps: DoctorDeps = { storage, processes: singleProcess(), connections: { open }, audit, clock, random, log, ...over };
      const usual = { connection: await connection(), isResume: false, stop: new AbortController().signal, onCase: () => undefined };
      return await clock.until(runDoctor(deps, { ...usual, ...options }));
    },
    /** Has the broker prove another mode. */
    proves: (mode: Broker["mode"]): void => void Object.assign(ibkr.broker, { mode }),
  };
}
