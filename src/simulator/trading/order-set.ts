import { isRecord } from "../../lib/json.ts";
import { failure, refusal } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { OrderSet } from "./order-desk.ts";
import { bracketGroup } from "./order-group.ts";
import type { SimOrder, Ticket } from "./records.ts";
import { readTicket } from "./ticket.ts";
import type { GoodTicket, TicketContext } from "./ticket.ts";

/** Orders in one request; a bracket has three, and more than a handful that cancel each other make no sense. */
const MAX_SET = 20;
const NOT_ONE_SET = "Several orders in one request that are neither a bracket nor an OCA group are not supported.";

/** What a set is read against: as one ticket, with the orders that a child may name as its parent. */
export interface OrderSetContext extends TicketContext {
  readonly parent: (accountId: string, reference: string) => SimOrder | undefined;
}

/** One order, or the first of a set with the set itself, or what to answer to a body that holds neither. */
export type ReadOrderSet = { readonly first: Ticket; readonly set: OrderSet | undefined } | { readonly reply: SimReply };

/**
 * Reads the body of an order request (reference F.1, F.9): `{"orders":[…]}` or the bare array, with one order, a bracket
 * (children name their parent's `cOID` in `parentId`) or a set of which one cancels all (`isSingleGroup`).
 */
export function readOrderSet(body: unknown, context: OrderSetContext): ReadOrderSet {
  if (body === undefined) return { reply: failure(400, "Failed to parse body as JSON: body is empty") };
  const tickets: unknown = isRecord(body) ? body["orders"] : body;
  if (!Array.isArray(tickets)) return { reply: failure(400, "orders request includes parameter with incorrect type") };
  if (tickets.length === 0) return { reply: failure(400, "Bad Request: orders can't be empty") };
  if (tickets.length > MAX_SET) return { reply: failure(400, `Bad Request: at most ${MAX_SET} orders`) };
  const read: GoodTicket[] = [];
  for (const raw of tickets) {
    const one = readTicket(raw, context);
    if ("reply" in one) return one;
    read.push(one);
  }
  const [first, ...others] = read;
  if (first === undefined) return { reply: failure(400, "Bad Request: orders can't be empty") };
  return others.length === 0 ? single(first, context) : together([first, ...others]);
}

/** One order, which may be a later child of an order that was placed before. */
function single({ ticket, parentRef }: GoodTicket, context: OrderSetContext): ReadOrderSet {
  if (parentRef === undefined) return { first: ticket, set: undefined };
  const parent = context.parent(context.accountId, parentRef);
  if (parent === undefined || parent.state === "cancelled" || parent.state === "inactive")
    return { reply: refusal(`Parent order ${parentRef} not found.`) };
  return { first: { ...ticket, parentOrderId: parent.id, group: bracketGroup(parent.id) }, set: undefined };
}

function together(read: readonly GoodTicket[]): ReadOrderSet {
  const parents = read.filter(({ parentRef }) => parentRef === undefined);
  const [parent] = parents;
  if (parent === undefined) return { reply: refusal(NOT_ONE_SET) };
  if (parents.length === read.length) {
    if (!read.every(({ isSingleGroup }) => isSingleGroup)) return { reply: refusal(NOT_ONE_SET) };
    const others = read.slice(1).map(({ ticket }) => ticket);
    return { first: parent.ticket, set: { first: parent.ticket, others, kind: "oca" } };
  }
  const children = read.filter((each) => each !== parent);
  const belong = children.every(({ parentRef }) => parentRef === parent.ticket.clientOrderId);
  if (parents.length > 1 || !belong) return { reply: refusal(NOT_ONE_SET) };
  const others = children.map(({ ticket }) => ticket);
  return { first: parent.ticket, set: { first: parent.ticket, others, kind: "bracket" } };
}
