import { Button, ButtonRow } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { ChoiceGroup } from "../../pages/components/choice-group.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import type { OrderDraft } from "../../trading/order-draft.ts";
import { unresolvedPath } from "../../trading/trading-errors.ts";
import { amountText, quantityText } from "../portfolio/number-text.ts";
import { type DecisionDraft, type DecisionErrors, MAX_ORDER_ID, MAX_WORDS } from "./order-decision.ts";
import type { OwnOrder } from "./own-order.ts";

export interface DecisionFormProps {
  readonly order: OwnOrder;
  readonly now: number;
  readonly formToken: string;
  readonly typed: DecisionDraft;
  readonly errors: DecisionErrors;
}

/** The form for an order that IBKR shows. */
export function ThereForm({ order, formToken, typed, errors }: DecisionFormProps) {
  const words = texts.there;
  const isOurs = typed.verdict === "there";
  return (
    <Card heading={words.heading}>
      <p>{words.lead}</p>
      <form method="post" action={unresolvedPath(order.requestId)}>
        <FormToken token={formToken} />
        <input type="hidden" name="verdict" value="there" />
        <Field
          name="order_id"
          label={words.orderId}
          hint={words.orderIdHint}
          value={typed.orderId}
          maxLength={MAX_ORDER_ID}
          error={errors.orderId}
        />
        <ChoiceGroup
          name="cancelled"
          legend={words.cancelledLegend}
          pick="many"
          choices={[{ value: "on", label: words.cancelled }]}
          chosen={typed.isCancelled ? ["on"] : []}
        />
        <WordsField id="words-there" typed={isOurs ? typed.words : ""} error={isOurs ? errors.words : undefined} />
        <ButtonRow>
          <Button>{words.submit}</Button>
        </ButtonRow>
      </form>
    </Card>
  );
}

/** The form for an order that IBKR does not show; disabled while the order can still go live. */
export function NotThereForm({ order, now, formToken, typed, errors }: DecisionFormProps) {
  const words = texts.absent;
  const isOurs = typed.verdict === "not_there";
  const waitMs = order.open?.absentInMs ?? 0;
  return (
    <Card heading={words.heading}>
      <p>{words.lead}</p>
      <Notice tone="warning" isQuiet title={order.connection?.mode === "live" ? words.warning.real : words.warning.other}>
        <p>
          {words.again} {words.both}
        </p>
        <p>
          <strong>{tooMuch(order.draft)}</strong>
        </p>
      </Notice>
      <form method="post" action={unresolvedPath(order.requestId)}>
        <FormToken token={formToken} />
        <input type="hidden" name="verdict" value="not_there" />
        {waitMs > 0 ? (
          <p id="absent-wait">{words.available(availableAt(now + waitMs))}</p>
        ) : (
          <WordsField id="words-not-there" typed={isOurs ? typed.words : ""} error={isOurs ? errors.words : undefined} />
        )}
        <ButtonRow>
          <Button kind="danger" isDisabled={waitMs > 0} describedBy={waitMs > 0 ? "absent-wait" : undefined}>
            {words.submit}
          </Button>
        </ButtonRow>
      </form>
    </Card>
  );
}

function WordsField({ id, typed, error }: { readonly id: string; readonly typed: string; readonly error: string | undefined }) {
  const { words, wordsHint } = texts.there;
  return <Field id={id} name="words" label={words} hint={wordsHint} value={typed} required maxLength={MAX_WORDS} error={error} />;
}

/** What a second order of this kind comes to. */
function tooMuch({ side, quantity, symbol, limitPrice, currency }: OrderDraft): string {
  const shares = `${quantityText(quantity)} ${symbol}`;
  const verb = side === "BUY" ? "buy" : "sell";
  if (limitPrice === undefined) return texts.absent.tooMuch(verb, shares);
  return texts.absent.tooMuchAtLimit(verb, shares, `${amountText(quantity.times(limitPrice), currency)} ${currency}`);
}

/** The first full minute from which the order can't go live any more. */
function availableAt(at: number): string {
  const iso = new Date(Math.ceil(at / 60_000) * 60_000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}
