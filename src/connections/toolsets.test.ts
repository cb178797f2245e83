import { describe, expect, it } from "vitest";

import { readToolsets, TOOLSET_WORDS, TOOLSETS, toolsetOf } from "./toolsets.ts";

const EVERY = TOOLSETS.map(({ name }) => name);

describe("names of toolsets", () => {
  it("are read in any letter case, once each, in the order of the sets", () => {
    expect(readToolsets(["research", " Derivatives ", "RESEARCH"])).toEqual({ toolsets: ["derivatives", "research"], unknown: [] });
  });

  it("may be core, which is always there, all, or nothing", () => {
    expect(readToolsets(["core", ""])).toEqual({ toolsets: [], unknown: [] });
    expect(readToolsets(["all", "core"])).toEqual({ toolsets: EVERY, unknown: [] });
    expect(readToolsets([])).toEqual({ toolsets: [], unknown: [] });
  });

  it("that name nothing are told as they were written", () => {
    expect(readToolsets(["reports", "Orders", "toString"])).toEqual({ toolsets: ["reports"], unknown: ["Orders", "toString"] });
  });

  it("are all words that may be written", () => {
    expect(TOOLSET_WORDS).toEqual(["core", ...EVERY, "all"]);
  });
});

it("a tool belongs to one set at most", () => {
  const tools = TOOLSETS.flatMap((set) => set.tools.map(String));
  expect(new Set(tools).size).toBe(tools.length);
  expect([toolsetOf("get_futures"), toolsetOf("get_quote")]).toEqual(["derivatives", undefined]);
});
