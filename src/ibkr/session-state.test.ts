import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { SessionStateName } from "../broker/health.ts";
import { initialState, SESSION_EVENTS, type SessionState, transition, TRANSITIONS } from "./session-state.ts";

const STATES: readonly SessionStateName[] = ["closed", "opening", "established", "backing_off", "competing", "logged_out", "frozen"];
const MINUTE_MS = 60_000;
const at = 1_000_000;
const stateOf = (name: SessionStateName, over: Partial<SessionState> = {}): SessionState => ({ ...initialState(0), name, ...over });

describe("the session's state machine", () => {
  it("is the one of the picture in the docs", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/reference/session.md"), "utf8");
    const drawn = [...page.matchAll(/^ {4}(\w+) --> (\w+): (\w+)$/gm)].map(([, from, to, event]) => `${from} ${event} ${to}`);
    const coded = STATES.flatMap((from) => Object.entries(TRANSITIONS[from]).map(([event, to]) => `${from} ${event} ${to}`));
    expect(drawn.toSorted()).toEqual(coded.toSorted());
    for (const state of STATES) expect(page, state).toContain(`| \`${state}\` |`);
  });

  it.each(STATES.flatMap((name) => SESSION_EVENTS.map((type) => [name, type] as const)))("%s, when %s", (name, type) => {
    const before = stateOf(name);
    const after = transition(before, { type, at });
    const next = TRANSITIONS[name][type];
    if (next === undefined) expect(after).toBe(before);
    else expect(after).toMatchObject({ name: next, since: at });
    // Only a pause has an end.
    if (next !== undefined && !["backing_off", "competing", "logged_out"].includes(next)) expect(after.retryAt).toBeUndefined();
  });

  it("lets nothing out of frozen", () => {
    expect(SESSION_EVENTS.map((type) => transition(stateOf("frozen"), { type, at }).name)).toEqual(SESSION_EVENTS.map(() => "frozen"));
  });

  const pausesAfter = (type: "refused" | "unreachable", times: number, jitter = 0): readonly number[] => {
    let state = initialState(0);
    return Array.from({ length: times }, () => {
      state = transition(transition(state, { type: "open", at }), { type, at, jitter });
      return ((state.retryAt ?? 0) - at) / 1000;
    });
  };

  it("waits a minute after a refusal, doubled up to half an hour", () => {
    expect(pausesAfter("refused", 8)).toEqual([60, 120, 240, 480, 960, 1800, 1800, 1800]);
    expect(pausesAfter("refused", 3, 1)).toEqual([72, 144, 288]);
  });

  it("waits a second when nobody answers, doubled up to a minute", () => {
    expect(pausesAfter("unreachable", 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it("forgets refusals with a session that stands, and not before", () => {
    const refused = stateOf("opening", { refusals: 3, misses: 2 });
    expect(transition(refused, { type: "unreachable", at })).toMatchObject({ refusals: 3, misses: 3 });
    expect(transition(refused, { type: "taken", at })).toMatchObject({ refusals: 3, retryAt: at + 10_000 });
    expect(transition(refused, { type: "established", at })).toMatchObject({ refusals: 0, misses: 0 });
  });

  it("counts an init that met another login as refused", () => {
    const taken = transition(stateOf("opening"), { type: "taken", at, afterInit: true });
    expect(taken).toMatchObject({ name: "competing", refusals: 1, retryAt: at + MINUTE_MS });
  });
});
