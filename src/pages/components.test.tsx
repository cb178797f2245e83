import { renderToString } from "hono/jsx/dom/server";
import { describe, expect, it } from "vitest";

import { loadAssets } from "./assets.ts";
import { HealthBadge, ModeBadge } from "./components/badge.tsx";
import { ChoiceGroup } from "./components/choice-group.tsx";
import { Copyable } from "./components/copyable.tsx";
import { DataTable } from "./components/data-table.tsx";
import { DescriptionList } from "./components/description-list.tsx";
import { Field } from "./components/field.tsx";
import { PlainName } from "./components/plain-name.tsx";
import { RelativeTime, relativeTime } from "./components/relative-time.tsx";
import { SelectField } from "./components/select-field.tsx";
import { createPageRenderer } from "./page-renderer.tsx";
import { texts } from "./texts.ts";

const HOSTILE = `"><img src=x onerror=alert(1)>'<script>&\u202Eevil`;

describe("what strangers chose", () => {
  it("stays text wherever it is shown", () => {
    const shown = renderToString(
      <>
        <PlainName value={HOSTILE} />
        <Field name="a" label={HOSTILE} value={HOSTILE} hint={HOSTILE} error={HOSTILE} />
        <Field name="b" label="b" value={`</textarea>${HOSTILE}`} multiline />
        <SelectField name="c" label={HOSTILE} options={[{ value: HOSTILE, label: HOSTILE }]} chosen={HOSTILE} />
        <ChoiceGroup name="d" legend={HOSTILE} pick="one" chosen={[]} choices={[{ value: HOSTILE, label: HOSTILE, detail: HOSTILE }]} />
        <DescriptionList rows={[{ name: HOSTILE, value: HOSTILE }]} />
        <DataTable caption={HOSTILE} columns={[{ title: HOSTILE }]} rows={[[HOSTILE]]} />
        <Copyable id="e" label={HOSTILE} text={HOSTILE} />
      </>,
    );
    expect(shown).not.toMatch(/<(?:img|script)/);
    expect(shown.match(/<\/textarea>/g)).toHaveLength(1);
  });

  it("can't turn the text around it", () => {
    expect(renderToString(<PlainName value={HOSTILE} />)).toMatch(/^<bdi>[^\u202E]*<\/bdi>$/);
    expect(renderToString(<PlainName value={"\u200B"} fallback="no name" />)).toBe("<bdi>no name</bdi>");
  });
});

describe("a field", () => {
  it("is tied to its label, hint and error", () => {
    const shown = renderToString(<Field name="label" label="Name" hint="Any." error="Missing." required />);
    expect(shown).toContain('<label for="label">');
    expect(shown).toMatch(/<input [^>]*aria-invalid="true"[^>]*aria-describedby="label-hint label-error"/);
    expect(shown).toContain('id="label-hint"');
    expect(shown).toContain('id="label-error"');
    expect(renderToString(<Field name="note" label="Note" />)).toContain(texts.common.optional);
  });
});

describe("a state", () => {
  it("is told by sign and word, not by colour alone", () => {
    const shown = (["simulated", "paper", "live"] as const).map((mode) => renderToString(<ModeBadge mode={mode} />));
    const signs = shown.map((badge) => /aria-hidden="true">(.)</.exec(badge)?.[1]);
    expect(new Set(signs).size).toBe(3);
    expect(shown[2]).toContain("Live");
    expect(renderToString(<HealthBadge health="failing" />)).toContain(texts.common.health.failing);
  });
});

describe("a time", () => {
  const now = Date.UTC(2026, 10, 23, 12);
  it.each([
    [0, "just now"],
    [1_000, "1 second ago"],
    [59_999, "59 seconds ago"],
    [60_000, "1 minute ago"],
    [7_200_000, "2 hours ago"],
    [3 * 86_400_000, "3 days ago"],
    [-60_000, "in 1 minute"],
  ])("%i ms back reads as %s", (distance, said) => {
    expect(relativeTime(now - distance, now)).toBe(said);
  });

  it("carries the exact moment", () => {
    expect(renderToString(<RelativeTime at={now} now={now} />)).toBe(
      '<time datetime="2026-11-23T12:00:00.000Z" title="2026-11-23 12:00:00 UTC">just now</time>',
    );
  });
});

describe("a page", () => {
  const pages = createPageRenderer({ assets: loadAssets() });

  it("is whole, says whose product this is not, and is kept by no cache and framed by nobody", async () => {
    const answer = pages.page({ title: "A page", user: { displayName: HOSTILE, formToken: "t" } }, <p>Hello</p>);
    const html = await answer.text();
    expect(html).toMatch(/^<!DOCTYPE html><html lang="en">/);
    expect(html).toContain("<title>A page · IBKR Gateway</title>");
    expect(html).toContain(texts.common.notAffiliated);
    expect(html).not.toContain("<img");
    expect(html).not.toMatch(/ (?:style|on[a-z]+)="/);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "cache-control": "no-store",
      "x-frame-options": "DENY",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    });
  });

  it.each([
    ["bad_request", 400],
    ["forbidden", 403],
    ["not_found", 404],
    ["expired", 410],
    ["too_large", 413],
    ["failure", 500],
  ] as const)("of the error %s has the status %i and says what to do", async (kind, status) => {
    const answer = pages.error(kind, { requestId: "req_1" });
    expect(answer.status).toBe(status);
    const html = await answer.text();
    expect(html).toContain("req_1");
    expect(html).toContain(renderToString(<>{texts.errors[kind].whatToDo}</>));
  });
});

describe("the catalogue of texts", () => {
  it("has no empty text, and none that ends in the middle", () => {
    const walk = (value: unknown, path: string): string[] => {
      if (typeof value === "string") return value.trim() === value && value !== "" ? [] : [path];
      if (typeof value !== "object" || value === null) return [];
      return Object.entries(value).flatMap(([name, part]) => walk(part, `${path}.${name}`));
    };
    expect(walk(texts, "texts")).toEqual([]);
  });
});
