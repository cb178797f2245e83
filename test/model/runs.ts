/** Searches with their expected ends: defects, storms, beliefs about IBKR, and each rule taken away. */
import { FORCE, ONE, type Promised, TRUE, TWIN } from "./promises.ts";
import { ABSENT_AFTER, PROTOCOL, RESEND_WITHIN, type Rules, USER_AFTER, WITHOUT_RULES } from "./rules.ts";
import { CALM, FOREVER, type Scenario } from "./scenario.ts";

/** One search. `states` is its size: a change of the model that nothing else shows changes it. */
export interface Run {
  readonly name: string;
  readonly rules: Rules;
  readonly scenario: Scenario;
  /** The only promise that is checked. All are checked when undefined. */
  readonly only?: Promised;
  /** The promise that breaks. None when undefined. */
  readonly breaks?: Promised;
  readonly states: number;
}

/** Scenarios that break a promise without the rules, each by the one fault it needs. Sizes: without the rules, with them. */
const DEFECTS: readonly { name: string; breaks: Promised; scenario: Scenario; sizes: readonly [number, number] }[] = [
  { name: "D1 a retry without an id", breaks: ONE, scenario: { ...CALM, calls: ["", ""] }, sizes: [538, 242] },
  { name: "D2 the wall clock jumps", breaks: ONE, scenario: { ...CALM, lateness: 1, faults: { jumps: 1 } }, sizes: [3135, 2017] },
  { name: "D3 IBKR takes an order late", breaks: ONE, scenario: { ...CALM, lateness: ABSENT_AFTER }, sizes: [2035, 1279] },
  {
    name: "D4 the key is revoked",
    breaks: FORCE,
    scenario: { ...CALM, calls: ["A"], faults: { revocations: 1 } },
    sizes: [107, 385],
  },
  {
    name: "D8 an equal order after a crash",
    breaks: TWIN,
    scenario: { ...CALM, calls: ["A", "B"], processes: 2, faults: { crashes: 1 } },
    sizes: [1223, 6737],
  },
  {
    name: "F2 IBKR's lists are stale",
    breaks: ONE,
    scenario: { ...CALM, listLag: ABSENT_AFTER + 1, losesAnswers: true },
    sizes: [2864, 1614],
  },
];

/** Without the rules, each defect breaks its promise. */
export const WITHOUT: readonly Run[] = DEFECTS.map(({ name, breaks, scenario, sizes: [states] }) => {
  return { name, rules: WITHOUT_RULES, scenario, only: breaks, breaks, states };
});

/** With the rules, every promise holds in the same scenarios. */
export const WITH: readonly Run[] = DEFECTS.map(({ name, scenario, sizes: [, states] }) => ({ name, rules: PROTOCOL, scenario, states }));

/** All faults: lists that lie permanently, lost responses, a crash, a clock jump, a revocation, a question, a stopped process. */
const STORM: Scenario = {
  calls: ["A", "A"],
  processes: 2,
  lateness: USER_AFTER - 1,
  listLag: FOREVER,
  refusesTwice: RESEND_WITHIN + 1,
  losesAnswers: true,
  suspends: true,
  faults: { crashes: 1, jumps: 1, revocations: 1, questions: 1, unreachable: 1 },
};

/** All faults together, by what the two calls are. */
export const STORMS: readonly Run[] = [
  { name: "the same id twice", rules: PROTOCOL, scenario: STORM, states: 110_160 },
  {
    name: "the same id twice, IBKR knows what it asked or refused",
    rules: PROTOCOL,
    scenario: { ...STORM, knowsWhatItAsked: true, faults: { ...STORM.faults, refusals: 1 } },
    states: 249_235,
  },
  { name: "twice without an id", rules: PROTOCOL, scenario: { ...STORM, calls: ["", ""] }, states: 36_464 },
  { name: "an equal order under another id", rules: PROTOCOL, scenario: { ...STORM, calls: ["A", "B"] }, states: 290_520 },
];

const SQUALL: Scenario = { ...STORM, processes: 1, faults: { questions: 1, unreachable: 1 } };
const TRUSTING: Rules = { ...PROTOCOL, trustsRefusals: true };

const believe = (name: string, change: Partial<Scenario>, expected: { states: number; breaks?: Promised; rules?: Rules }): Run => {
  return { name, rules: PROTOCOL, scenario: { ...SQUALL, ...change }, only: ONE, ...expected };
};

/** Beliefs about IBKR and users, and whether one wish stays one order where they are false. */
export const BELIEFS: readonly Run[] = [
  believe("IBKR takes a cOID twice", { refusesTwice: 0 }, { states: 4075 }),
  believe("IBKR takes orders however late", { lateness: FOREVER, refusesTwice: FOREVER }, { states: 5173 }),
  believe("the user errs", { userErrs: true, refusesTwice: FOREVER }, { states: 4203 }),
  believe("IBKR takes a cOID twice, and however late", { lateness: FOREVER, refusesTwice: 0 }, { states: 4909, breaks: ONE }),
  believe("IBKR takes a cOID twice, and the user errs", { userErrs: true, refusesTwice: 0 }, { states: 4115, breaks: ONE }),
  believe("an order is doubled on its way", { faults: { copies: 1, unreachable: 1 } }, { states: 8882 }),
  believe("an order is doubled on its way, and IBKR asks about it", { faults: { copies: 1, questions: 1 } }, { states: 8994, breaks: ONE }),
  believe("trusted refusals, however late", { lateness: FOREVER, refusesTwice: FOREVER }, { states: 7842, rules: TRUSTING }),
  believe("trusted refusals, though IBKR takes a cOID twice", { refusesTwice: 0 }, { states: 2531, breaks: ONE, rules: TRUSTING }),
  believe("trusted refusals, for longer than IBKR remembers", { refusesTwice: 2 }, { states: 6536, breaks: ONE, rules: TRUSTING }),
];

type Needed = Pick<Run, "scenario" | "states" | "only"> & { breaks: Promised };

const NEEDED: Readonly<Record<Exclude<keyof Rules, "trustsRefusals">, Needed>> = {
  guardsOnArrival: { scenario: { ...CALM, calls: ["", ""] }, breaks: ONE, states: 466 },
  listsNeverProveAbsence: { scenario: { ...CALM, listLag: FOREVER, losesAnswers: true }, breaks: TRUE, states: 802 },
  keepsCoid: { scenario: { ...SQUALL, lateness: FOREVER, refusesTwice: FOREVER }, breaks: ONE, only: ONE, states: 5419 },
  asksAgain: { scenario: { ...CALM, calls: ["A"], faults: { revocations: 1 } }, breaks: FORCE, states: 112 },
  knowsWhoLives: { scenario: { ...CALM, calls: ["A", "B"], processes: 2, faults: { crashes: 1 } }, breaks: TWIN, states: 1067 },
  turnIsARow: { scenario: { ...CALM, calls: ["A", "B"], processes: 2, faults: { crashes: 1 } }, breaks: TWIN, states: 1577 },
};

const takeAway = (rule: string, needed: Needed): Run => ({ name: rule, rules: { ...PROTOCOL, [rule]: false }, ...needed });

/** Each rule taken away alone breaks a promise. */
export const TAKEN_AWAY: readonly Run[] = Object.entries(NEEDED).map(([rule, needed]) => takeAway(rule, needed));
