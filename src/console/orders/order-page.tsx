import { plainText } from "../../lib/plain-text.ts";
import { Card } from "../../pages/components/card.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { ExactTime, RelativeTime } from "../../pages/components/relative-time.tsx";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import { draftText } from "../../trading/order-draft.ts";
import type { UnresolvedOrder } from "../../trading/unresolved-orders.ts";
import { connectionPath } from "../connections/connection-paths.ts";
import { ConnectionName } from "../own-connections.tsx";
import { type DecisionFormProps, NotThereForm, ThereForm } from "./decision-forms.tsx";
import type { OwnOrder } from "./own-order.ts";

/** Longest text of IBKR's or of a caller that is shown. */
const MAX_TEXT = 1_000;

export interface OrderPageProps extends DecisionFormProps {
  /** Where a sign-in is too old for a decision about real money: the page that renews it. */
  readonly signInPath: string | undefined;
}

/** One order: its facts and, while its outcome is unknown, where to look and what to decide. */
export function OrderPage(props: OrderPageProps) {
  const { order, now, signInPath } = props;
  const isUndecided = order.state === "unresolved";
  return (
    <div class="stack">
      {order.state === "unknown" && (
        <Notice tone="info" title={texts.page.looking.title}>
          <p>{texts.page.looking.text}</p>
        </Notice>
      )}
      <Card heading={texts.facts.heading}>
        <DescriptionList rows={factsOf(order, now)} />
      </Card>
      {isUndecided && <WhereToLook order={order} />}
      {isUndecided && signInPath !== undefined && (
        <Notice tone="info">
          <p>
            {texts.again.text} <a href={signInPath}>{texts.again.link}</a>
          </p>
        </Notice>
      )}
      {isUndecided && <ThereForm {...props} />}
      {isUndecided && <NotThereForm {...props} />}
    </div>
  );
}

function factsOf(order: OwnOrder, now: number) {
  const { facts } = texts;
  const { open, connection, decided, sentAt } = order;
  const optional = (name: string, value: string | undefined) =>
    value === undefined ? [] : [{ name, value: <bdi>{plainText(value, MAX_TEXT)}</bdi> }];
  return [
    { name: facts.outcome, value: decided === undefined ? (texts.outcomes[order.state] ?? order.state) : texts.decided[decided.kind] },
    ...optional(facts.words, decided?.words),
    { name: facts.order, value: <OrderWords order={order} /> },
    ...(connection === undefined ? [] : [{ name: facts.mode, value: <strong>{facts.modes[connection.mode]}</strong> }]),
    { name: facts.account, value: <PlainName value={order.draft.accountId} /> },
    { name: facts.connection, value: <ConnectionName connection={connection} gone={texts.goneConnection} /> },
    { name: facts.caller, value: <CallerName order={order} /> },
    ...(sentAt === undefined ? [] : [{ name: facts.sent, value: <ExactTime at={sentAt} now={now} /> }]),
    ...(open === undefined ? [] : [{ name: facts.looks, value: <Looks open={open} now={now} /> }]),
    ...optional(facts.said, open?.said),
    ...optional(facts.brokerOrderId, order.brokerOrderId),
    { name: facts.clientOrderId, value: <code>{plainText(order.clientOrderId, MAX_TEXT)}</code> },
    ...(order.customerOrderId === undefined ? [] : [{ name: facts.customerOrderId, value: <code>{order.customerOrderId}</code> }]),
  ];
}

/** The order in the words in which apps confirm it. */
function OrderWords({ order }: { readonly order: OwnOrder }) {
  return (
    <strong>
      <PlainName value={draftText(order.draft)} />
    </strong>
  );
}

function CallerName({ order: { caller } }: { readonly order: OwnOrder }) {
  if (caller === undefined) return <span class="hint">{texts.goneCaller}</span>;
  return (
    <>
      <PlainName value={caller.name} /> <span class="hint">({caller.source === "oauth" ? texts.facts.app : texts.facts.key})</span>
    </>
  );
}

function Looks({ open, now }: { readonly open: UnresolvedOrder; readonly now: number }) {
  if (open.lookedAt === undefined) return <>{texts.facts.never}</>;
  return (
    <>
      {texts.facts.looksWithout(open.looks)} <RelativeTime at={open.lookedAt} now={now} />
    </>
  );
}

function WhereToLook({ order }: { readonly order: OwnOrder }) {
  const { where } = texts;
  return (
    <Card heading={where.heading}>
      <ol>
        <li>
          {order.connection?.mode === "simulated" ? (
            <a href={connectionPath(order.connectionId, "portfolio")}>{where.openSimulated}</a>
          ) : (
            where.open
          )}
        </li>
        <li>{where.lists(new Date(order.sentAt ?? 0).toISOString().slice(0, 10))}</li>
        <li>
          {where.find} <PlainName value={`${draftText(order.draft)}, ${order.draft.accountId}`} />. {where.reference}{" "}
          <code>{order.customerOrderId}</code>
        </li>
      </ol>
    </Card>
  );
}
