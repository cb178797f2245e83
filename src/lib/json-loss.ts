/** A part of a JSON text that `JSON.parse` reads as something else, without an error. */
export type JsonLoss =
  | { readonly kind: "repeated_member"; readonly name: string }
  /** `member` is the nearest member that holds the number. */
  | { readonly kind: "rounded_number"; readonly member: string | undefined; readonly source: string };

/** The start of an object, its end, a string with the colon that makes it a member's name, or a number. */
const TOKEN = /[{}]|"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|-?\d[\d.eE+-]*/g;
/** A double keeps every decimal number of 15 digits. */
const SHORT_NUMBER = /^-?[\d.]{1,15}$/;

interface OpenObject {
  /** Member whose value is being read. */
  member: string | undefined;
  /** Members before it; created late, because an attacker's 170,000 objects of one member each would cost as many sets. */
  earlier: Set<string> | undefined;
  readonly isWithin: boolean;
}

/**
 * Finds the first member that an object has twice, or number that a double rounds, in valid JSON text.
 * With `within`, only numbers inside a member of that name count. Takes time in proportion to the text's length.
 */
export function findJsonLoss(text: string, within?: string): JsonLoss | undefined {
  const open: OpenObject[] = [];
  const isWithin = (current: OpenObject | undefined): boolean =>
    within === undefined || (current !== undefined && (current.isWithin || current.member === within));
  for (const [token] of text.matchAll(TOKEN)) {
    const current = open.at(-1);
    if (token === "{") open.push({ member: undefined, earlier: undefined, isWithin: isWithin(current) });
    else if (token === "}") open.pop();
    else if (token.startsWith('"')) {
      if (current === undefined || !token.endsWith(":")) continue;
      const name = nameOf(token);
      if (name === current.member || current.earlier?.has(name) === true) return { kind: "repeated_member", name };
      if (current.member !== undefined) (current.earlier ??= new Set()).add(current.member);
      current.member = name;
    } else if (isWithin(current) && isRounded(token)) return { kind: "rounded_number", member: current?.member, source: token };
  }
  return undefined;
}

/** One name can be spelled in several ways: `"\u0061"` is `"a"`. */
function nameOf(token: string): string {
  const quoted = token.slice(0, token.lastIndexOf('"') + 1);
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

function isRounded(source: string): boolean {
  return !SHORT_NUMBER.test(source) && scientific(source) !== scientific(String(Number(source)));
}

/** One spelling for all that mean the same number: digits without zeros around them, and the power of ten. */
function scientific(source: string): string {
  const [mantissa = "", power = "0"] = source.toLowerCase().split("e");
  const [whole = "", decimals = ""] = mantissa.replace("-", "").split(".");
  const digits = `${whole}${decimals}`.replace(/^0+/, "");
  // The look-behind keeps the time linear: a run of zeros is tried from its start only.
  const significant = digits.replace(/(?<!0)0+$/, "");
  if (significant === "") return "0";
  const sign = mantissa.startsWith("-") ? "-" : "";
  return `${sign}${significant}e${Number(power) - decimals.length + digits.length - significant.length}`;
}
