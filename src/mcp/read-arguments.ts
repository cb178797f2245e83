import type { z } from "zod";

import { closestName } from "../lib/closest-name.ts";
import { GatewayError } from "../lib/errors.ts";
import { findJsonLoss, type JsonLoss } from "../lib/json-loss.ts";
import { isRecord } from "../lib/json.ts";
import { storable } from "./exchange.ts";
import type { RegisteredTool } from "./registry.ts";

/** Most problems named in one answer; a model mends the first few and tries again. */
const MAX_PROBLEMS = 8;
/** Longest part of the caller's own text that an error repeats. */
const MAX_SHOWN = 64;

/**
 * Reads a call's arguments: an object, or the JSON text of one. Each field is as lenient as its own definition; unknown
 * names are refused with the nearest known one, and so is a text that `JSON.parse` changes.
 * Throws `invalid_arguments` with one sentence per problem.
 */
export function readArguments(registered: RegisteredTool, given: unknown, lossOfBody: JsonLoss | undefined): Record<string, unknown> {
  const candidate = asObject(given);
  if (candidate === undefined) throw invalidArguments(registered, ["`arguments` must be an object."]);
  const loss = lossOfBody ?? (typeof given === "string" ? findJsonLoss(given) : undefined);
  if (loss !== undefined) throw invalidArguments(registered, [lossSentence(loss)]);
  const unknown = Object.keys(candidate).filter((name) => !registered.argumentNames.has(name));
  if (unknown.length > 0) {
    throw invalidArguments(
      registered,
      unknown.map((name) => unknownName(name, registered.argumentNames)),
    );
  }
  const parsed = registered.tool.input.safeParse(candidate);
  if (!parsed.success) throw invalidArguments(registered, parsed.error.issues.map(sentence));
  return parsed.data;
}

/** The arguments as an object, when they are one or spell one. */
export function asObject(given: unknown): Record<string, unknown> | undefined {
  if (given === undefined || given === null) return {};
  if (isRecord(given)) return given;
  if (typeof given !== "string") return undefined;
  try {
    const decoded: unknown = JSON.parse(given);
    return isRecord(decoded) ? decoded : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function lossSentence(loss: JsonLoss): string {
  if (loss.kind === "repeated_member") return `The member ${shown(loss.name)} appears twice.`;
  return `JSON readers round the number ${loss.source.slice(0, MAX_SHOWN)} in ${shown(loss.member ?? "")}. Send its digits as a string.`;
}

function unknownName(name: string, known: ReadonlySet<string>): string {
  const nearest = closestName(name, known);
  if (nearest !== undefined) return `Unknown argument ${shown(name)}: did you mean "${nearest}"?`;
  return known.size === 0 ? `Unknown argument ${shown(name)}: this tool takes none.` : `Unknown argument ${shown(name)}.`;
}

function shown(name: string): string {
  return JSON.stringify(storable(name, MAX_SHOWN));
}

function sentence(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  const message = issue.message.replace(/\.$/, "");
  return path === "" ? `${message}.` : `\`${path}\` ${message}.`;
}

function invalidArguments(registered: RegisteredTool, problems: readonly string[]): GatewayError {
  const first = problems.slice(0, MAX_PROBLEMS);
  const more = problems.length > first.length ? [`And ${problems.length - first.length} more.`] : [];
  const names = [...registered.argumentNames];
  return new GatewayError("invalid_arguments", [...first, ...more].join(" "), {
    whatToDo:
      names.length === 0
        ? `Call ${registered.tool.name} without arguments.`
        : `Mend the arguments and call ${registered.tool.name} again. It takes: ${names.join(", ")}.`,
  });
}
