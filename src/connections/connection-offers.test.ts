import { describe, expect, it } from "vitest";
import { z } from "zod";

import { simulator } from "../upstreams/simulator.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import { createConnectionOffer } from "./connection-offer.ts";

const settings = z.object({
  consumer: z.string().regex(/^[A-Z]{9}$/),
  realm: z.enum(["test_realm", "limited_poa"]),
  port: z.coerce.number().int().optional(),
});
const example: Upstream<typeof settings, "signatureKey"> = {
  kind: "example",
  title: "Example",
  modes: ["paper"],
  settings,
  secretFields: ["signatureKey"],
  form: {
    summary: "For the test.",
    fields: {
      consumer: { label: "Consumer key", help: "Nine letters." },
      realm: { label: "Realm", help: "Which." },
      port: { label: "Port", help: "If any." },
      signatureKey: { label: "Signature key", help: "A PEM file.", multiline: true },
    },
  },
  steps: [{ id: "enter", title: "Enter", text: "All of it.", fields: ["consumer", "realm", "port", "signatureKey"] }],
  connect: () => {
    throw new Error("not connected in this test");
  },
};

const hostPolicy = createHostPolicy({ hosts: [], isLocal: false });

describe("the form of a kind", () => {
  const offer = createConnectionOffer(example, { hostPolicy });

  it("follows from its schema and its secrets", () => {
    expect(offer.fields).toEqual([
      {
        name: "consumer",
        label: "Consumer key",
        help: "Nine letters.",
        isSecret: false,
        isRequired: true,
        isMultiline: false,
        isMade: false,
        choices: undefined,
        choiceLabels: {},
      },
      {
        name: "realm",
        label: "Realm",
        help: "Which.",
        isSecret: false,
        isRequired: true,
        isMultiline: false,
        isMade: false,
        choices: ["test_realm", "limited_poa"],
        choiceLabels: {},
      },
      {
        name: "port",
        label: "Port",
        help: "If any.",
        isSecret: false,
        isRequired: false,
        isMultiline: false,
        isMade: false,
        choices: undefined,
        choiceLabels: {},
      },
      {
        name: "signatureKey",
        label: "Signature key",
        help: "A PEM file.",
        isSecret: true,
        isRequired: true,
        isMultiline: true,
        isMade: false,
        choices: undefined,
        choiceLabels: {},
      },
    ]);
  });

  it("reads what is stored, secrets apart", () => {
    expect(offer.read({ consumer: " ABCDEFGHI ", realm: "test_realm", port: "", signatureKey: "-----BEGIN\r\nx\r\n", stray: "1" })).toEqual(
      {
        entry: { settings: { consumer: "ABCDEFGHI", realm: "test_realm" }, secrets: { signatureKey: "-----BEGIN\nx" } },
      },
    );
  });

  it("names each field that is missing or wrong", () => {
    expect(offer.read({ consumer: "abc", realm: "elsewhere", port: "x", signatureKey: "" })).toEqual({
      wrong: [
        { field: "consumer", fault: "wrong" },
        { field: "realm", fault: "wrong" },
        { field: "port", fault: "wrong" },
        { field: "signatureKey", fault: "missing" },
      ],
    });
    expect(offer.read({ consumer: "ABCDEFGHI", realm: "test_realm", signatureKey: "x".repeat(8_001) })).toEqual({
      wrong: [expect.objectContaining({ field: "signatureKey", fault: "wrong" })],
    });
  });

  it("asks nothing that the gateway knows, and takes no other value for it", () => {
    const known = createConnectionOffer(simulator, { hostPolicy, known: { settings: { baseUrl: "embedded" }, secrets: {} } });
    expect(known.fields).toEqual([]);
    expect(known.read({ baseUrl: "http://169.254.169.254/", consumerKey: "mine" })).toEqual({
      entry: { settings: { baseUrl: "embedded" }, secrets: {} },
    });
  });

  it("has a label and help for each field of every kind", () => {
    for (const field of createConnectionOffer(simulator, { hostPolicy }).fields) {
      expect(field.label, field.name).not.toBe(field.name);
      expect(field.help, field.name).not.toBe("");
    }
  });
});
