import { describe, expect, test } from "vitest";

import { readMessage } from "./frame.ts";

describe("a client's text", () => {
  test("is a sign of life, a session, or a topic with keys and an object", () => {
    expect(readMessage(" tic\n")).toEqual({ kind: "tic" });
    expect(readMessage('{"session":"abc"}')).toEqual({ kind: "session", sessionId: "abc" });
    expect(readMessage('smd+265598@SMART+{"fields":["31"]}')).toEqual({
      kind: "topic",
      message: { topic: "smd", keys: ["265598@SMART"], body: { fields: ["31"] } },
    });
    expect(readMessage("sbd+DU1+8314+NYSE")).toEqual({ kind: "topic", message: { topic: "sbd", keys: ["DU1", "8314", "NYSE"], body: {} } });
    expect(readMessage("utr")).toEqual({ kind: "topic", message: { topic: "utr", keys: [], body: {} } });
  });

  test("is unreadable otherwise", () => {
    for (const text of ["", "{}", "[1]", "smd+1+{", "smd+1+{]", "smdx+1", "SMD+1", "smd+1+[1]{}x"])
      expect(readMessage(text)).toEqual({ kind: "unreadable" });
  });
});
