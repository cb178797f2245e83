import { expect, it } from "vitest";

import { pageOf } from "./page.ts";

const SIZE = { usual: 2, max: 5 };
const LETTERS = ["a", "b", "c", "d", "e"];

it("a short list is whole and needs no words", () => {
  expect(pageOf(["a", "b"], {}, SIZE)).toEqual({ rows: ["a", "b"], note: undefined });
  expect(pageOf([], {}, SIZE)).toEqual({ rows: [], note: undefined });
});

it("a long list comes in parts, each of which says where the next begins", () => {
  expect(pageOf(LETTERS, {}, SIZE)).toEqual({ rows: ["a", "b"], note: "Rows 1 to 2 of 5; offset 2 shows the next." });
  expect(pageOf(LETTERS, { offset: 2 }, SIZE).rows).toEqual(["c", "d"]);
  expect(pageOf(LETTERS, { offset: 4, limit: 5 }, SIZE)).toEqual({ rows: ["e"], note: "Rows 5 to 5 of 5." });
});

it("an offset beyond the end is said to be that", () => {
  expect(pageOf(LETTERS, { offset: 9 }, SIZE)).toEqual({ rows: [], note: "There are 5 rows; offset 9 is beyond them." });
});
