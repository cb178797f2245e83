import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { orderTexts } from "../../pages/texts/orders.ts";
import { MAX_LABEL_LENGTH } from "./connection-label.ts";
import { connectionPath } from "./connection-paths.ts";

interface ConfirmProps {
  readonly connectionId: string;
  readonly formToken: string;
  /** Why what was typed does not confirm it. */
  readonly error?: string | undefined;
  /** Why nothing was done although it was confirmed. */
  readonly refusal?: string | undefined;
}

/** Says what deleting a connection ends, and asks for its name. */
export function DeletePage(
  props: ConfirmProps & { readonly label: string; readonly keyCount: number; readonly appCount: number; readonly isIbkr: boolean },
) {
  const { connectionId, keyCount, appCount } = props;
  return (
    <Card>
      <p>{texts.remove.lead}</p>
      <h2>{texts.remove.stops}</h2>
      <ul>
        <li>{texts.remove.keys(keyCount)}</li>
        <li>{texts.remove.apps(appCount)}</li>
      </ul>
      <p>{texts.remove.brokerStays}</p>
      {props.isIbkr && <p>{texts.remove.atIbkr}</p>}
      <form method="post" action={connectionPath(connectionId, "delete")}>
        <FormToken token={props.formToken} />
        <Field
          name="confirm"
          label={texts.remove.confirm}
          hint={<bdi>{props.label}</bdi>}
          required
          maxLength={MAX_LABEL_LENGTH * 2}
          error={props.error}
        />
        <ButtonRow>
          <Button kind="danger">{texts.remove.submit}</Button>
          <LinkButton href={connectionPath(connectionId)}>{texts.remove.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </Card>
  );
}

/** Says what allowing orders with real money means, and asks for the words. */
export function LiveTradingPage(props: ConfirmProps & { readonly keyCount: number; readonly appCount: number }) {
  const words = texts.liveTrading;
  return (
    <Card>
      <Notice tone="warning" title={words.lead}>
        <ul>
          {words.warnings.map((warning) => (
            <li>{warning}</li>
          ))}
        </ul>
      </Notice>
      <p>
        {words.now}: <strong>{texts.callers.count(props.keyCount, props.appCount)}</strong>
      </p>
      <form method="post" action={connectionPath(props.connectionId, "live-trading")}>
        <FormToken token={props.formToken} />
        <input type="hidden" name="trading" value="on" />
        <Field name="confirm" label={words.confirm(words.word)} required maxLength={40} error={props.error} />
        <ButtonRow>
          <Button kind="danger">{words.submit}</Button>
          <LinkButton href={connectionPath(props.connectionId)}>{words.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </Card>
  );
}

/** Shows why orders were stopped and what to check, and confirms that they go on. */
export function ResumeOrdersPage(props: ConfirmProps & { readonly because: string; readonly mode: string }) {
  const words = orderTexts.stopped;
  return (
    <Card>
      <p>{words.lead}</p>
      <Notice tone="warning" title={props.because}>
        <ul>
          {[...words.checks, ...(props.mode === "live" ? [words.real] : [])].map((check) => (
            <li>{check}</li>
          ))}
        </ul>
      </Notice>
      <form method="post" action={connectionPath(props.connectionId, "resume-orders")}>
        <FormToken token={props.formToken} />
        <ButtonRow>
          <Button kind="danger">{words.submit}</Button>
          <LinkButton href={connectionPath(props.connectionId)}>{words.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </Card>
  );
}

/** Says what taking over the session does to the other login. */
export function TakeOverPage(props: ConfirmProps & { readonly isCompeting: boolean }) {
  const words = texts.takeOver;
  return (
    <Card>
      {props.refusal !== undefined && (
        <Notice tone="error">
          <p>{props.refusal}</p>
        </Notice>
      )}
      <p>{props.isCompeting ? words.lead : words.notNeeded}</p>
      <ul>
        {words.what.map((line) => (
          <li>{line}</li>
        ))}
      </ul>
      <form method="post" action={connectionPath(props.connectionId, "take-over")}>
        <FormToken token={props.formToken} />
        <ButtonRow>
          <Button kind="danger">{words.button}</Button>
          <LinkButton href={connectionPath(props.connectionId)}>{words.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </Card>
  );
}
