import { dayNumber } from "../calendar/civil-date.ts";
import { OPTION_CLASSES, type OptionClass } from "./option-classes.ts";

/** One listed option. */
export interface OptionContract {
  readonly conid: number;
  readonly class: OptionClass;
  /** Last trading day as a day number. */
  readonly expiryDay: number;
  readonly right: "C" | "P";
  readonly strike: number;
}

/** Conids of options begin here, above those of the catalogue. */
const FIRST_CONID = 700_000_000;
/** Expiries are counted from here in 13 bits: until 2042. */
const FIRST_EXPIRY = dayNumber(2020, 1, 1);
const LAST_EXPIRY = FIRST_EXPIRY + 8191;
const STRIKES = 1024;
const RIGHTS = 2;
const EXPIRIES = 8192;

/** The conid of an option follows from what it is, so that it is known for ever. Undefined when nothing like it can be listed. */
export function optionConid(terms: Omit<OptionContract, "conid">): number | undefined {
  const { strike, expiryDay } = terms;
  const index = strike / terms.class.strikeStep;
  if (!Number.isInteger(index) || strike < terms.class.lowestStrike || strike > terms.class.highestStrike) return undefined;
  if (expiryDay < FIRST_EXPIRY || expiryDay > LAST_EXPIRY) return undefined;
  const series = terms.class.code * EXPIRIES + (expiryDay - FIRST_EXPIRY);
  return FIRST_CONID + (series * RIGHTS + (terms.right === "C" ? 0 : 1)) * STRIKES + index;
}

/** What a conid stands for, or undefined when it isn't an option's. Whether its date is an expiry is for the caller to check. */
export function optionOfConid(conid: number): OptionContract | undefined {
  const rest = conid - FIRST_CONID;
  if (!Number.isSafeInteger(conid) || rest < 0) return undefined;
  const right = Math.floor(rest / STRIKES) % RIGHTS === 0 ? "C" : "P";
  const series = Math.floor(rest / (STRIKES * RIGHTS));
  const found = OPTION_CLASSES.find((each) => each.code === Math.floor(series / EXPIRIES));
  if (found === undefined) return undefined;
  const strike = (rest % STRIKES) * found.strikeStep;
  const terms = { class: found, expiryDay: FIRST_EXPIRY + (series % EXPIRIES), right, strike } as const;
  return optionConid(terms) === conid ? { conid, ...terms } : undefined;
}

/** Every strike of a class, lowest first. */
export function strikesOf(optionClass: OptionClass): readonly number[] {
  const count = Math.floor((optionClass.highestStrike - optionClass.lowestStrike) / optionClass.strikeStep) + 1;
  return Array.from({ length: count }, (_, index) => optionClass.lowestStrike + index * optionClass.strikeStep);
}
