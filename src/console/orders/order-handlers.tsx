import type { ConnectionEvent, ConnectionJournal } from "../../auth/connection-journal.ts";
import { isFresh } from "../../auth/sign-in/sign-in-parts.ts";
import type { Clock } from "../../lib/clock.ts";
import { GatewayError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { Notice } from "../../pages/components/notice.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { connectionTexts } from "../../pages/texts/connections.ts";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import { findConnection } from "../../storage/connections.ts";
import { draftText } from "../../trading/order-draft.ts";
import { unresolvedPath } from "../../trading/trading-errors.ts";
import type { OrderDecision, OrderVerdict } from "../../trading/unresolved-orders.ts";
import { CONNECTIONS_PATH } from "../connections/connection-paths.ts";
import { consoleFrame } from "../console-frame.tsx";
import {
  factsOf,
  type FormPlace,
  freshSignInPath,
  ownForm,
  type OwnForm,
  ownPage,
  type OwnPage,
  toFreshSignIn,
} from "../console-visits.ts";
import { listNamedConnections } from "../own-connections.tsx";
import { checkDecision, DECISION_FIELDS, type DecisionErrors, decisionTypedBefore, readDecision } from "./order-decision.ts";
import { OrderPage } from "./order-page.tsx";
import { OrdersPage } from "./orders-page.tsx";
import { type OwnOrder, type OwnOrderDeps, withOwnOrder } from "./own-order.ts";

export interface OrderHandlersDeps extends OwnOrderDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: ConnectionJournal;
}

/** Responds to `/console/orders` and the pages under it. */
export interface OrderHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly showOrder: (c: PageRequest) => Promise<Response>;
  readonly decide: (c: PageRequest) => Promise<Response>;
}

/** Where the list of orders of unknown outcome is. */
export const ORDERS_PATH = "/console/orders";

const PLACE: FormPlace = { page: (c) => unresolvedPath(encodeURIComponent(c.req.param("order") ?? "")), keeps: DECISION_FIELDS };

/** Creates the handlers. None sends anything to IBKR. */
export function createOrderHandlers(deps: OrderHandlersDeps): OrderHandlers {
  return {
    show: ownPage(deps, (page) => showOrders(deps, page)),
    showOrder: ownPage(deps, (page) => withOwnOrder(deps, page, (order) => Promise.resolve(showOrder(deps, page, order)))),
    decide: ownForm(deps, PLACE, (form) => withOwnOrder(deps, form, (order) => decide(deps, form, order))),
  };
}

async function showOrders(deps: OrderHandlersDeps, { user }: OwnPage): Promise<Response> {
  const [orders, connections] = await Promise.all([
    deps.trading.unresolvedOrders(user.userId),
    listNamedConnections(deps.storage, user.userId),
  ]);
  return deps.pages.page(
    {
      ...consoleFrame(texts.title, "connections", user),
      back: { href: CONNECTIONS_PATH, label: connectionTexts.title },
      lead: orders.length === 0 ? undefined : texts.lead,
    },
    <OrdersPage orders={orders} connections={connections} now={deps.clock.now()} />,
  );
}

interface Refused {
  readonly errors?: DecisionErrors;
  readonly refusal?: string;
}

function showOrder(deps: OrderHandlersDeps, page: OwnPage, order: OwnOrder, refused?: Refused): Response {
  const { c, user } = page;
  const said = { saved: texts.page.saved, old_form: texts.page.oldForm }[c.req.query("said") ?? ""];
  return deps.pages.page(
    {
      ...consoleFrame(order.open === undefined ? texts.page.resolvedTitle : texts.page.title, "connections", user),
      width: "narrow",
      back: { href: ORDERS_PATH, label: texts.title },
      lead: order.state === "unresolved" ? texts.page.unresolved : undefined,
    },
    <>
      {said !== undefined && (
        <Notice tone={said === texts.page.saved ? "success" : "warning"}>
          <p>{said}</p>
        </Notice>
      )}
      {refused?.refusal !== undefined && (
        <Notice tone="error">
          <p>{refused.refusal}</p>
        </Notice>
      )}
      <OrderPage
        order={order}
        now={deps.clock.now()}
        formToken={user.formToken}
        typed={"fields" in page && page.fields instanceof URLSearchParams ? readDecision(page.fields) : decisionTypedBefore(c)}
        errors={refused?.errors ?? {}}
        signInPath={needsSignIn(deps, page, order) ? freshSignInPath(unresolvedPath(order.requestId)) : undefined}
      />
    </>,
    { status: refused === undefined ? 200 : 422 },
  );
}

/** Decisions about real money need a fresh sign-in; those about an order of a deleted connection too, whose mode is not known. */
function needsSignIn(deps: OrderHandlersDeps, { user }: OwnPage, { connection }: OwnOrder): boolean {
  const isHarmless = connection?.mode === "simulated" || connection?.mode === "paper";
  return !isHarmless && !isFresh(deps, { signedIn: user });
}

async function decide(deps: OrderHandlersDeps, form: OwnForm, order: OwnOrder): Promise<Response> {
  const { requestId, userId } = order;
  const path = unresolvedPath(requestId);
  // Decided in another window, or found meanwhile: the page shows it.
  if (order.state !== "unresolved") return form.c.redirect(path, 303);
  if (needsSignIn(deps, form, order)) return toFreshSignIn(PLACE, form);
  const checked = checkDecision(readDecision(form.fields));
  if (!("verdict" in checked)) return showOrder(deps, form, order, { errors: checked });
  const decision: OrderDecision = { userId, requestId, verdict: checked.verdict, words: checked.words };
  try {
    await deps.trading.decideOrder(decision);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "order_not_found") return form.c.redirect(path, 303);
    if (error.code === "invalid_arguments") return showOrder(deps, form, order, { refusal: texts.absent.tooEarly });
    throw error;
  }
  await journal(deps, form, { order, decision });
  return form.c.redirect(`${path}?said=saved`, 303);
}

const EVENTS: Readonly<Record<OrderVerdict["kind"], ConnectionEvent>> = {
  there: "order.found",
  cancelled: "order.cancelled_at_broker",
  not_there: "order.not_found",
};

async function journal(
  deps: OrderHandlersDeps,
  form: OwnForm,
  { order, decision }: { readonly order: OwnOrder; readonly decision: OrderDecision },
): Promise<void> {
  const { connectionId, draft, clientOrderId, customerOrderId, requestId, userId } = order;
  const row = await findConnection(deps.storage, { connectionId, userId });
  const { verdict, words } = decision;
  const details = {
    order: draftText(draft),
    order_request: requestId,
    client_order_id: clientOrderId,
    ...(customerOrderId === undefined ? {} : { order_ref: customerOrderId }),
    ...(verdict.kind === "there" ? { order_id: verdict.orderId } : {}),
    cancelled: form.fields.get("cancelled") === "on" && verdict.kind !== "not_there" ? "yes" : "no",
    looked: words,
  };
  const connection = { connectionId, userId, label: row?.label ?? "", mode: row?.mode ?? "", kind: row?.kind ?? "" };
  deps.journal.note(EVENTS[verdict.kind], connection, { ...factsOf(form), details, summary: `${draftText(draft)}: ${words}` });
}
