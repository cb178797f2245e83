import type { Broker, CallOptions } from "../broker/broker.ts";
import type { OrderTicket } from "../broker/order.ts";
import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import { Decimal } from "../lib/decimal.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { AuditLog } from "../storage/audit-log.ts";
import type { ConnectionRow } from "../storage/connections.ts";
import { storeDoctorReport } from "../storage/doctor-reports.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import { AccountTurns } from "./account-turns.ts";
import { Burial } from "./burial.ts";
import { DoctorCases } from "./doctor-cases.ts";
import { DOCTOR_PREFIX, DoctorDesk } from "./doctor-desk.ts";
import { type DoctorCase, type DoctorFinding, type DoctorReport, parseDoctorReport, verdictOf } from "./doctor-findings.ts";
import { DoctorRefusal, refuseRealMoney } from "./doctor-refusal.ts";
import { DoctorTurn } from "./doctor-turn.ts";
import type { OrderDraft } from "./order-draft.ts";
import { refuseSwitchedOff } from "./permission.ts";

/** A liquid stock that every account may trade. */
const SYMBOL = "AAPL";
/** Share of the last price that the order offers: far enough not to fill, near enough not to be refused as a mistake. */
const OFFER = Decimal.parse("0.75");
/** IBKR keeps a `cOID` for 24 hours; an hour more is sure. */
const NEXT_DAY_MS = 25 * 3_600_000;

export interface DoctorDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly connections: Pick<Connections, "open">;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** One run of the doctor, as a user asks for it. */
export interface DoctorOptions {
  readonly connection: ConnectionRow;
  /** Only sends the `cOID` of the last run again, 25 hours later. */
  readonly isResume: boolean;
  /** Aborts when the user stops the doctor: what it placed is cancelled all the same. */
  readonly stop: AbortSignal;
  readonly onCase: (name: DoctorCase) => void;
}

/** What a run saw, and the error that ended it early. */
export interface DoctorResult {
  readonly report: DoctorReport;
  readonly failure: Error | undefined;
}

/**
 * Finds out on a paper or simulated connection what IBKR does with a `cOID` that was used before, and sets or clears the mark by it.
 * Throws `DoctorRefusal` or a `GatewayError` before anything is sent; later failures are in the result.
 */
export async function runDoctor(deps: DoctorDeps, options: DoctorOptions): Promise<DoctorResult> {
  const { connection, isResume, stop } = options;
  refuseRealMoney(connection.mode);
  const earlier = isResume ? earlierReport(connection) : undefined;
  const ref = { userId: connection.user_id, connectionId: connection.id };
  const { broker } = await deps.connections.open(ref, stop);
  refuseSwitchedOff(connection, { connectionId: connection.id, provenMode: broker.mode });
  refuseRealMoney(broker.mode);
  const call: CallOptions = { signal: stop, caller: "doctor" };
  const draft = await draftOf(broker, earlier?.accountId, call);
  if (earlier !== undefined) refuseTooEarly(earlier, broker.time());
  const run = randomId(deps.random, DOCTOR_PREFIX, 8);
  const turn = new DoctorTurn(deps, { ...ref, run, draft, provenMode: broker.mode });
  await new Burial({ ...deps, running: { requests: new Set(), attempts: new Set() } }).run();
  await turn.take(broker.time());
  return await new DoctorVisit(deps, { ...options, broker, draft, run, turn, earlier }).run();
}

interface Visit extends DoctorOptions {
  readonly broker: Broker;
  readonly draft: OrderDraft;
  readonly run: string;
  readonly turn: DoctorTurn;
  readonly earlier: DoctorReport | undefined;
}

/** A run that holds the account's turn. Whatever happens in it, it cleans up, stores its report and gives the turn back. */
class DoctorVisit {
  readonly #deps: DoctorDeps;
  readonly #visit: Visit;
  readonly #desk: DoctorDesk;
  #report: DoctorReport;

  constructor(deps: DoctorDeps, visit: Visit) {
    const { clock, log } = deps;
    const { broker, draft, run, turn, earlier } = visit;
    this.#deps = deps;
    this.#visit = visit;
    this.#desk = new DoctorDesk({ broker, clock, turn, turns: new AccountTurns(clock, log), accountId: draft.accountId });
    const own = { run, accountId: draft.accountId, symbol: draft.symbol, customerOrderId: `${run}-1`, findings: [] };
    this.#report = { ...own, at: clock.now(), sentBrokerAt: null, left: [], ...earlier };
  }

  async run(): Promise<DoctorResult> {
    const failure = await failureOf(() => this.#audited());
    return { report: this.#report, failure };
  }

  async #audited(): Promise<void> {
    const { audit, clock } = this.#deps;
    const requestId = this.#visit.run;
    const startedAt = clock.monotonic();
    let failure = await failureOf(async () => {
      await audit.begin(this.#auditStart());
      await this.#try();
    });
    const left = [...(await this.#desk.cancelAll()), ...this.#desk.unclear()];
    this.#report = { ...this.#report, left };
    const end = { orderId: this.#orderId(), isClean: left.length === 0 };
    for (const step of [() => this.#store(), () => this.#visit.turn.giveBack(end)]) failure = (await failureOf(step)) ?? failure;
    await audit.complete(requestId, {
      outcome: failure === undefined ? "ok" : "error",
      code: undefined,
      durationUs: (clock.monotonic() - startedAt) * 1_000,
      upstreamCalls: 0,
      summary: summaryOf(this.#report),
    });
    if (failure !== undefined) throw failure;
  }

  async #try(): Promise<void> {
    const { clock } = this.#deps;
    const { stop, draft, run, onCase, earlier } = this.#visit;
    const { symbol: _symbol, currency: _currency, ...ticket } = draft;
    const onFinding = (finding: DoctorFinding): Promise<void> => this.#take(finding);
    const cases = new DoctorCases({ desk: this.#desk, clock, stop, ticket, run, onCase, onFinding });
    if (earlier !== undefined) return await cases.nextDay(earlier.customerOrderId);
    // Orders that an earlier run left are found by their prefix.
    await this.#desk.cancelAll();
    await this.#store(null);
    await cases.run();
  }

  /** Stores a finding with the mark that follows from all of them. The next day says nothing about the mark. */
  async #take(finding: DoctorFinding): Promise<void> {
    const { broker } = this.#visit;
    const isSameId = finding.customerOrderId === this.#report.customerOrderId;
    const findings = [...this.#report.findings.filter(({ case: name }) => name !== finding.case), finding];
    const sentBrokerAt = isSameId ? (broker.time() ?? null) : this.#report.sentBrokerAt;
    this.#report = { ...this.#report, findings, sentBrokerAt };
    const provenAt = verdictOf(findings).refusesDuplicates ? this.#deps.clock.now() : null;
    await this.#store(finding.case === "next_day" ? undefined : provenAt);
  }

  async #store(provenAt?: number | null): Promise<void> {
    const { user_id: userId, id: connectionId } = this.#visit.connection;
    const report = JSON.stringify(this.#report);
    await storeDoctorReport(this.#deps.storage, { userId, connectionId }, { report, provenAt });
  }

  #orderId(): string | undefined {
    return this.#report.findings.flatMap(({ first, again }) => [first?.orderId, again?.orderId]).find((id) => id !== undefined);
  }

  #auditStart() {
    const { connection, run, isResume } = this.#visit;
    return {
      requestId: run,
      at: this.#deps.clock.now(),
      userId: connection.user_id,
      callerId: "doctor",
      source: "gateway",
      scope: "write",
      connectionId: connection.id,
      tool: "connection.doctor",
      arguments: JSON.stringify({ connection: connection.label, mode: connection.mode, resume: isResume }),
      client: undefined,
      address: undefined,
    } as const;
  }
}

function summaryOf({ findings, left }: DoctorReport): string {
  const proven = verdictOf(findings).refusesDuplicates ? "A repeated cOID was refused." : "Not proven that a repeated cOID is refused.";
  return left.length === 0 ? proven : `${proven} ${left.length} not cleaned up.`;
}

async function failureOf(work: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

function earlierReport({ id, doctor_report: text }: ConnectionRow): DoctorReport {
  const report = parseDoctorReport(text);
  if (report?.findings.some(({ case: name }) => name === "working") === true) return report;
  throw new DoctorRefusal(`There is no run to resume. Run ibkr-gateway doctor --paper ${id} first.`);
}

/** Refuses the step of the next day before 25 hours have passed at IBKR. The wall clock of this machine says nothing. */
function refuseTooEarly({ sentBrokerAt }: DoctorReport, brokerNow: number | undefined): void {
  if (sentBrokerAt === null || brokerNow === undefined)
    throw new DoctorRefusal("IBKR sends no time, so 25 hours can't be proven. Nothing was sent.");
  const dueAt = sentBrokerAt + NEXT_DAY_MS;
  if (brokerNow < dueAt) throw new DoctorRefusal(`Too early. Resume at ${resumeTime(sentBrokerAt)}. Nothing was sent.`);
}

/** The time from which `--resume` may run, by IBKR's clock: ISO 8601 to the minute, in UTC. */
export function resumeTime(sentBrokerAt: number): string {
  // Rounded up, so that the time that is shown is never too early.
  const dueAt = Math.ceil((sentBrokerAt + NEXT_DAY_MS) / 60_000) * 60_000;
  return `${new Date(dueAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** One share at three quarters of the last price, in whole units of the currency, which are on every tick. */
async function draftOf(broker: Broker, accountId: string | undefined, call: CallOptions): Promise<OrderDraft> {
  const account = (await broker.accounts(call)).find((own) => accountId === undefined || own.accountId === accountId);
  if (account === undefined) throw new DoctorRefusal("The connection has no account for the doctor. Nothing was sent.");
  const stock = (await broker.stocks(SYMBOL, call)).find(({ currency }) => currency === "USD");
  if (stock === undefined) throw noPrice();
  const [quote] = await broker.quotes([stock.conid], call);
  const price = quote?.last ?? quote?.priorClose;
  if (price === undefined) throw noPrice();
  const ticket: Omit<OrderTicket, "customerOrderId"> = {
    accountId: account.accountId,
    conid: stock.conid,
    side: "BUY",
    quantity: Decimal.one,
    orderType: "LMT",
    limitPrice: price.times(OFFER).round(0),
    stopPrice: undefined,
    timeInForce: "DAY",
    outsideRth: false,
  };
  return { ...ticket, symbol: stock.symbol, currency: stock.currency };
}

function noPrice(): DoctorRefusal {
  return new DoctorRefusal(`IBKR shows no price of ${SYMBOL}. Nothing was sent. Try again in trading hours.`);
}
