import type { ScannerChoice, ScannerParameters } from "../broker/research.ts";

/** Most locations, filters or candidates in one answer. */
const MAX_CHOICES = 50;

/** What the scanners are narrowed by. */
export interface ScannerSearch {
  /** A word in a scanner's code or name. */
  readonly word: string | undefined;
  /** Code of an instrument, such as `STK`. */
  readonly instrument: string | undefined;
}

/** The scanners that fit, those with the word at a beginning first. */
export function findScanners({ types }: ScannerParameters, { word, instrument }: ScannerSearch): ScannerParameters["types"] {
  const fitting = types.filter((type) => instrument === undefined || type.instruments.includes(instrument));
  if (word === undefined) return fitting;
  const parts = plain(word).split(" ");
  const found = fitting.filter((type) => parts.every((part) => wordsOf(type).includes(part)));
  return found.toSorted((a, b) => Number(plain(b.name).startsWith(plain(word))) - Number(plain(a.name).startsWith(plain(word))));
}

/** The scanner of this code or name, in any letter case. */
export function scannerNamed({ types }: ScannerParameters, name: string): ScannerChoice | undefined {
  return types.find(({ code }) => plain(code) === plain(name)) ?? types.find((type) => plain(type.name) === plain(name));
}

/** Where an instrument can be scanned, and by what: the parts that a caller of `run_scanner` may send. */
export function choicesFor(parameters: ScannerParameters, instrument: string) {
  const own = parameters.instruments.find(({ code }) => code === instrument);
  const filters = parameters.filters.filter(({ code }) => own?.filters.includes(code));
  return {
    locations: rowsOf(parameters.locations.filter((location) => location.instrument === instrument)),
    filters: rowsOf(filters),
  };
}

/** Codes and names as rows, at most fifty. */
export function rowsOf(choices: readonly ScannerChoice[]) {
  return choices.slice(0, MAX_CHOICES).map(({ code, name }) => ({ code, name }));
}

function wordsOf({ code, name }: ScannerChoice): string {
  return ` ${plain(code)} ${plain(name)}`;
}

function plain(text: string): string {
  return text
    .toUpperCase()
    .replaceAll(/[^A-Z0-9%$]+/g, " ")
    .trim();
}
