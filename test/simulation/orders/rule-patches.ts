/** One change of a file: the text must be there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The model's rules. */
export type Rule = "guardsOnArrival" | "listsNeverProveAbsence" | "keepsCoid" | "asksAgain" | "knowsWhoLives" | "turnIsARow";

const WATCH_FOUND_NOTHING = `        this.#nextLook(attempt, ageOf(attempt));
        await this.#putToPerson(attempt);`;
/** Three looks over two minutes prove an order absent, as the gateway once believed. */
const WATCH_BELIEVES_LISTS = `        this.#nextLook(attempt, ageOf(attempt));
        if (looks < 3 || ageOf(attempt) < 120_000) continue;
        const { user_id: userId, id, request_id: requestId } = attempt;
        const change = { doubt: 0, ended_by: "never_left" };
        await moveOrderAttempt(storage.db, { userId, id, from: ["unknown"], to: "no", change, at: clock.now() });
        const result = JSON.stringify({ reason: "timeout" });
        await moveOrderRequest(storage.db, { userId, id: requestId, from: ["unknown", "unresolved"], to: "not_placed", result, at: clock.now() });`;

/** How each rule is taken out of the code. */
export const RULE_PATCHES: Readonly<Record<Rule, readonly Edit[]>> = {
  guardsOnArrival: [
    { file: "src/trading/guard.ts", find: "return isNamed ? BLIND : [...ON_ITS_WAY, ...BLIND];", replace: "return isNamed ? BLIND : [];" },
    { file: "src/trading/guard.ts", find: "if (order.isNamed) return undefined;", replace: "return undefined;" },
  ],
  listsNeverProveAbsence: [{ file: "src/trading/order-watch.ts", find: WATCH_FOUND_NOTHING, replace: WATCH_BELIEVES_LISTS }],
  keepsCoid: [
    {
      file: "src/trading/customer-order-id.ts",
      find: "return isDefinite && !keeps ? last.generation + 1 : last.generation;",
      replace: "return last.generation + 1;",
    },
  ],
  asksAgain: [
    {
      file: "src/trading/departure.ts",
      find: "if (this.#allowed === undefined || this.#clock.monotonic() - this.#allowed.at > PERMISSION_MS) throw permissionTooOld();",
      replace: "if (this.#allowed === undefined) throw permissionTooOld();",
    },
    {
      file: "src/trading/permission.ts",
      find: "  const row = await holdTradingSwitch(db, dialect, caller);\n",
      replace: `  const row = await holdTradingSwitch(db, dialect, caller);
  if (row !== undefined) return { isDuplicateProven: row.duplicate_refusals_proven_at !== null, record: "{}" };\n`,
    },
  ],
  knowsWhoLives: [
    {
      file: "src/trading/burial.ts",
      find: "const owners = await ownersOfRequests(storage.db, AT_WORK);",
      replace: "const owners: string[] = [];",
    },
  ],
  turnIsARow: [
    {
      file: "src/trading/permit-sending.ts",
      find: "if ((await attemptInTurn(db, { connectionId, accountId })) !== undefined) throw new TurnTaken();",
      replace: "",
    },
    {
      file: "src/trading/send-order.ts",
      find: "if ((await attemptInTurn(storage.db, account)) === undefined) return true;",
      replace: "return true;",
    },
    {
      file: "src/storage/migrations/0005-orders-once.ts",
      find: "create unique index order_attempts_turn",
      replace: "create index order_attempts_turn",
    },
  ],
};

/** Reads the name of a rule. Throws `RangeError` for another one. */
export function readRule(name: string): Rule {
  const rule = RULE_NAMES.find((known) => known === name);
  if (rule === undefined) throw new RangeError(`no rule ${name}: it is one of ${RULE_NAMES.join(", ")}`);
  return rule;
}

/** All of them. */
export const RULE_NAMES: readonly Rule[] = [
  "guardsOnArrival",
  "listsNeverProveAbsence",
  "keepsCoid",
  "asksAgain",
  "knowsWhoLives",
  "turnIsARow",
];
