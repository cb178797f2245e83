/** Why a password is not taken. */
export type PasswordFault = "too_short" | "too_long" | "too_common" | "like_the_name";

/** Shortest password: long enough to be out of reach of guessing online and, hashed, mostly offline. */
export const MIN_PASSWORD_LENGTH = 12;
/** Longest: beyond any pass phrase, and a bound on what is hashed. */
export const MAX_PASSWORD_LENGTH = 200;

/**
 * The commonest passwords of public leaks, reduced to their words: what people add to them (digits, signs, capitals,
 * repetition, letters as digits) is stripped before the comparison.
 */
const COMMON = new Set(
  `password passwort passw secret geheim hallo hello welcome willkommen letmein login access admin administrator master
   root user guest test tester testing default changeme change qwerty qwertz azerty qwertyuiop qwertzuiop asdf asdfgh
   asdfghjkl zxcvbn zxcvbnm yxcvbnm qazwsx qazwsxedc abc abcd abcdef abcdefgh abcdefghijkl iloveyou loveyou lovely love
   dragon monkey football soccer baseball basketball hockey superman batman spiderman pokemon starwars princess sunshine
   shadow michael jordan jennifer daniel thomas charlie jessica ashley andrew matthew computer internet whatever freedom
   trustno trustnoone killer hunter ninja mustang ferrari porsche mercedes liverpool arsenal chelsea barcelona summer winter
   spring autumn sommer herbst january february march april june july august september october november december
   monday friday money bitcoin trading trader broker interactivebrokers ibkr ibkrgateway gateway google apple samsung
   microsoft facebook linkedin correcthorsebatterystaple`.split(/\s+/),
);
const ROWS = [
  "01234567890123456789",
  "98765432109876543210",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
];
const LOOKALIKES: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
};

/** Says why a password is not taken; undefined when it is. `names` are what anybody would try first: the login name and the like. */
export function passwordFault(password: string, names: readonly string[]): PasswordFault | undefined {
  const text = password.normalize("NFKC");
  const length = [...text].length;
  if (length < MIN_PASSWORD_LENGTH) return "too_short";
  if (length > MAX_PASSWORD_LENGTH) return "too_long";
  const folded = text.toLowerCase();
  if (isMonotonous(folded) || isCommon(folded)) return "too_common";
  return names.some((name) => isLike(folded, name.toLowerCase())) ? "like_the_name" : undefined;
}

/** Few different characters, or a run along the keyboard, the alphabet or the digits. */
function isMonotonous(text: string): boolean {
  if (new Set(text).size <= 4) return true;
  const half = text.slice(0, Math.ceil(text.length / 2));
  return ROWS.some((row) => row.includes(text) || (row.includes(half) && row.includes(text.slice(half.length))));
}

function isCommon(text: string): boolean {
  const core = text.replace(/[^\p{L}]+$/u, "");
  return [text, lettersFor(text), lettersFor(core)].some((form) => {
    const words = form.split(/[^\p{L}]+/u).filter((word) => word !== "");
    const areCommon = words.length > 0 && words.length < 3 && words.every((word) => COMMON.has(onceOf(word)));
    return areCommon || COMMON.has(onceOf(words.join("")));
  });
}

function lettersFor(text: string): string {
  return [...text].map((character) => LOOKALIKES[character] ?? character).join("");
}

/** The shortest text whose repetition is `text`. */
function onceOf(text: string): string {
  const at = `${text}${text}`.indexOf(text, 1);
  return at > 0 && at < text.length ? text.slice(0, at) : text;
}

function isLike(text: string, name: string): boolean {
  const local = name.split("@")[0] ?? name;
  const rest = (part: string): string => text.replaceAll(part, "").replaceAll(/[^\p{L}]/gu, "");
  return [name, local].some((part) => part.length >= 3 && text.includes(part) && rest(part).length < 4);
}
