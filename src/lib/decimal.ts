import Big from "big.js";

const StrictBig = Big();
StrictBig.strict = true;
StrictBig.DP = 20;

/** Longest text that is read as a number; longer input is refused before any arithmetic. */
const MAX_TEXT_LENGTH = 60;
const PLAIN = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/;
const SCIENTIFIC = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?$/;

/** How a result is cut to a number of decimals. */
export type Rounding = "down" | "half_up" | "half_even" | "up";

const ROUNDING: Record<Rounding, 0 | 1 | 2 | 3> = { down: 0, half_up: 1, half_even: 2, up: 3 };

/**
 * An exact decimal number: the only form in which money, prices and quantities are held.
 * It prints and serialises as plain digits (`"1234.5"`), never in scientific notation and never as a float.
 */
export class Decimal {
  static readonly zero = new Decimal(new StrictBig("0"));
  static readonly one = new Decimal(new StrictBig("1"));
  readonly #big: Big;

  private constructor(big: Big) {
    this.#big = big;
  }

  /** Reads plain or scientific notation. Throws `RangeError` for anything else (NaN, Infinity, separators, over 60 characters). */
  static parse(text: string): Decimal {
    const trimmed = text.trim();
    if (trimmed.length > MAX_TEXT_LENGTH || !SCIENTIFIC.test(trimmed))
      throw new RangeError(`not a decimal number: ${JSON.stringify(text.slice(0, MAX_TEXT_LENGTH))}`);
    return new Decimal(new StrictBig(trimmed.replace(/^\+/, "").replace(/\.(?=$|[eE])/, "")));
  }

  /** Reads plain digits only (no exponent), or answers undefined. For input that people and programs send us. */
  static tryParsePlain(text: string): Decimal | undefined {
    const trimmed = text.trim();
    return trimmed.length <= MAX_TEXT_LENGTH && PLAIN.test(trimmed) ? Decimal.parse(trimmed) : undefined;
  }

  /** Takes a whole number. Throws `RangeError` for a fraction or an unsafe integer: those have no place in money. */
  static fromInteger(value: number | bigint): Decimal {
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    return new Decimal(new StrictBig(value.toString()));
  }

  /** Rounds a binary number to `decimals` places. For models of prices and statistics only, never for an amount that was received. */
  static fromApproximation(value: number, decimals: number): Decimal {
    if (!Number.isFinite(value)) throw new RangeError(`not a finite number: ${value}`);
    return Decimal.parse(value.toFixed(decimals));
  }

  static sum(values: Iterable<Decimal>): Decimal {
    let total = Decimal.zero;
    for (const value of values) total = total.plus(value);
    return total;
  }

  static min(first: Decimal, ...rest: readonly Decimal[]): Decimal {
    return rest.reduce((least, value) => (value.lessThan(least) ? value : least), first);
  }

  static max(first: Decimal, ...rest: readonly Decimal[]): Decimal {
    return rest.reduce((most, value) => (value.greaterThan(most) ? value : most), first);
  }

  plus(other: Decimal): Decimal {
    return new Decimal(this.#big.plus(other.#big));
  }

  minus(other: Decimal): Decimal {
    return new Decimal(this.#big.minus(other.#big));
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.#big.times(other.#big));
  }

  /** Divides and rounds half up to `decimals` places. Throws `RangeError` when `other` is zero. */
  dividedBy(other: Decimal, decimals = 20): Decimal {
    if (other.isZero()) throw new RangeError("division by zero");
    return new Decimal(this.#big.div(other.#big).round(decimals, ROUNDING.half_up));
  }

  negated(): Decimal {
    return new Decimal(this.#big.neg());
  }

  abs(): Decimal {
    return new Decimal(this.#big.abs());
  }

  round(decimals: number, rounding: Rounding = "half_up"): Decimal {
    return new Decimal(this.#big.round(decimals, ROUNDING[rounding]));
  }

  /** The multiple of `step` nearest to this value, or the next one below or above it in size. `step` is positive. */
  roundToStep(step: Decimal, rounding: Rounding = "half_up"): Decimal {
    return new Decimal(this.#big.div(step.#big).round(0, ROUNDING[rounding]).times(step.#big));
  }

  /** True when this value is a whole number of steps; `step` is positive. */
  isMultipleOf(step: Decimal): boolean {
    return this.#big.mod(step.#big).eq("0");
  }

  /** −1, 0 or 1, as `Array.prototype.sort` wants it. */
  compare(other: Decimal): -1 | 0 | 1 {
    return this.#big.cmp(other.#big);
  }

  equals(other: Decimal): boolean {
    return this.#big.eq(other.#big);
  }

  lessThan(other: Decimal): boolean {
    return this.#big.lt(other.#big);
  }

  greaterThan(other: Decimal): boolean {
    return this.#big.gt(other.#big);
  }

  isZero(): boolean {
    return this.#big.eq("0");
  }

  isNegative(): boolean {
    return this.#big.lt("0");
  }

  isPositive(): boolean {
    return this.#big.gt("0");
  }

  isInteger(): boolean {
    return this.#big.round(0, ROUNDING.down).eq(this.#big);
  }

  /** A binary approximation, for statistics and drawing only. */
  toApproximation(): number {
    return Number(this.#big.toFixed());
  }

  /** Plain digits, without trailing zeros: `"0.5"`, `"-12"`. */
  toString(): string {
    const text = this.#big.toFixed();
    return text === "-0" ? "0" : text;
  }

  /** Plain digits with exactly `decimals` places, rounded half up: `"0.50"`. */
  toFixed(decimals: number): string {
    const text = this.#big.toFixed(decimals, ROUNDING.half_up);
    return /^-0(?:\.0*)?$/.test(text) ? text.slice(1) : text;
  }

  toJSON(): string {
    return this.toString();
  }
}
