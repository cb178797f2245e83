import { civilDate, dayNumber, nthWeekday } from "../calendar/civil-date.ts";
import { EXCHANGE_HOURS } from "../calendar/exchange-hours.ts";
import { createTradingCalendar } from "../calendar/trading-calendar.ts";
import { FUTURE_CLASSES, type FutureClass, type LastDayRule } from "./future-classes.ts";

/** One future. */
export interface FutureContract {
  readonly conid: number;
  readonly class: FutureClass;
  /** The delivery month, which may come after the last trading day. */
  readonly year: number;
  readonly month: number;
  /** Last trading day as a day number. */
  readonly lastDay: number;
}

/** Which contracts there are, and when each ends. */
export interface FutureContracts {
  /** What a conid stands for, whether listed now or not; undefined when it is no future's. */
  ofConid(conid: number): FutureContract | undefined;
  /** The contracts of an underlying that are listed on a day, soonest first. */
  listedOn(underlyingConid: number, day: number): readonly FutureContract[];
}

/** Conids of futures begin here, below those of options. */
const FIRST_CONID = 600_000_000;
const FIRST_YEAR = 2000;
const MONTHS_PER_CLASS = 1200;
const FRIDAY = 5;
const MONTH_CODES = "FGHJKMNQUVXZ";

/** Makes the rule of futures: business days are those of New York, also in an always open market. */
export function createFutureContracts(): FutureContracts {
  const exchange = createTradingCalendar(EXCHANGE_HOURS.US_REGULAR, false);

  function stepBack(from: number, businessDays: number): number {
    let day = from;
    for (let count = 0; count < businessDays; count += 1) day = exchange.previousTradingDay(day);
    return day;
  }

  const onOrBefore = (day: number): number => (exchange.isTradingDay(day) ? day : exchange.previousTradingDay(day));

  const rules: Readonly<Record<LastDayRule, (year: number, month: number) => number>> = {
    third_friday: (year, month) => onOrBefore(nthWeekday(year, month, { weekday: FRIDAY, nth: 3 })),
    // Three business days before the 25th of the month before delivery, counted from the last business day before a 25th without trading.
    before_25th: (year, month) => stepBack(onOrBefore(dayNumber(year, month - 1, 25)), 3),
    before_month: (year, month) => stepBack(dayNumber(year, month, 1), 3),
    end_of_month: (year, month) => stepBack(dayNumber(year, month + 1, 1), 3),
    before_end_of_month: (year, month) => stepBack(dayNumber(year, month + 1, 1), 8),
  };

  function contractOf(futureClass: FutureClass, year: number, month: number): FutureContract {
    const conid = FIRST_CONID + futureClass.code * MONTHS_PER_CLASS + (year - FIRST_YEAR) * 12 + month - 1;
    return { conid, class: futureClass, year, month, lastDay: rules[futureClass.lastDay](year, month) };
  }

  return {
    ofConid: (conid) => {
      const rest = conid - FIRST_CONID;
      if (!Number.isSafeInteger(conid) || rest < 0) return undefined;
      const found = FUTURE_CLASSES.find(({ code }) => code === Math.floor(rest / MONTHS_PER_CLASS));
      const month = (rest % 12) + 1;
      if (found?.months.includes(month) !== true) return undefined;
      return contractOf(found, FIRST_YEAR + Math.floor((rest % MONTHS_PER_CLASS) / 12), month);
    },
    listedOn: (underlyingConid, day) => {
      const found = FUTURE_CLASSES.find((each) => each.underlyingConid === underlyingConid);
      if (found === undefined) return [];
      const { year, month } = civilDate(day);
      const contracts: FutureContract[] = [];
      for (let ahead = 0; contracts.length < found.listed; ahead += 1) {
        const at = month - 1 + ahead;
        if (!found.months.includes((at % 12) + 1)) continue;
        const contract = contractOf(found, year + Math.floor(at / 12), (at % 12) + 1);
        if (contract.lastDay >= day) contracts.push(contract);
      }
      return contracts;
    },
  };
}

/** The symbol of one contract as its exchange writes it: `ESZ6`. */
export function futureLocalSymbol(contract: FutureContract): string {
  return `${contract.class.symbol}${MONTH_CODES[contract.month - 1] ?? ""}${contract.year % 10}`;
}
