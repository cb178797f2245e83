import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { ATTEMPT_MOVES, ATTEMPT_STATES, readRequestState, REQUEST_MOVES, REQUEST_STATES, statesBefore } from "./order-states.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/reference/order-states.md"), "utf8");
const [requests = "", attempts = "", ...others] = [...page.matchAll(/```mermaid\n(.*?)```/gs)].map(([, picture]) => picture ?? "");

const compare = (picture: string, moves: Readonly<Record<string, readonly string[]>>, states: readonly string[]): void => {
  const drawn = [...picture.matchAll(/(\S+) --> (\w+)/g)].map(([, from, to]) => `${from} ${to}`);
  const coded = Object.entries(moves).flatMap(([from, targets]) => targets.map((to) => `${from} ${to}`));
  expect(drawn.toSorted()).toEqual([...coded, `[*] ${states[0]}`].toSorted());
  for (const state of states) expect(page, state).toContain(`| \`${state}\` |`);
};

it("the moves of requests are those of the picture in the docs", () => compare(requests, REQUEST_MOVES, REQUEST_STATES));
it("the moves of attempts are those of the picture in the docs", () => compare(attempts, ATTEMPT_MOVES, ATTEMPT_STATES));

it("each move of ARCHITECTURE's picture is one of these", () => {
  const text = readFileSync(join(import.meta.dirname, "../../ARCHITECTURE.md"), "utf8");
  const [, picture = ""] = /```mermaid\n(.*?)```/s.exec(text) ?? [];
  const drawn = [...picture.matchAll(/(\w+) --> (\w+)/g)].map(([, from, to]) => `${from} ${to}`);
  const coded = new Set(Object.entries(REQUEST_MOVES).flatMap(([from, targets]) => targets.map((to) => `${from} ${to}`)));
  expect(drawn.length).toBeGreaterThan(10);
  expect(drawn.filter((move) => !coded.has(move))).toEqual([]);
});

it("the docs have no other picture", () => {
  expect(others).toEqual([]);
});

it("each state knows the states before it", () => {
  expect(statesBefore(ATTEMPT_MOVES, "placed")).toEqual(["sending", "unknown", "no"]);
  expect(statesBefore(REQUEST_MOVES, "unresolved")).toEqual(["unknown"]);
  expect(statesBefore(REQUEST_MOVES, "received")).toEqual([]);
});

it("a stored state is read back, and any other text is a fault", () => {
  for (const state of REQUEST_STATES) expect(readRequestState(state)).toBe(state);
  expect(() => readRequestState("gone")).toThrow(new RangeError("not a state of an order request: gone"));
});
