import { Button } from "../../pages/components/button.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { PauseForm } from "./connection-card.tsx";
import { ActionForm } from "./connection-form.tsx";
import { MAX_LABEL_LENGTH } from "./connection-label.ts";
import type { ConnectionPageProps } from "./connection-page.tsx";
import { connectionPath } from "./connection-paths.ts";

/** The switches of a connection: each with what it does, in words. */
export function ConnectionSettings(props: ConnectionPageProps) {
  const { health, formToken } = props;
  const { connectionId } = health;
  const isPaused = health.pausedAt !== undefined;
  return (
    <section class="card settings" aria-labelledby="settings">
      <h2 id="settings">{texts.settings}</h2>
      <RenameForm {...props} />
      <div class="setting">
        <div>
          <h3>{texts.pause.heading}</h3>
          <p class="hint">{isPaused ? texts.pause.pausedLead : texts.pause.lead}</p>
        </div>
        <PauseForm health={health} formToken={formToken} from="page" isSmall />
      </div>
      <div class="setting">
        <div>
          <h3>{texts.keepWarm.heading}</h3>
          <p class="hint">{health.keepWarm ? texts.keepWarm.on : texts.keepWarm.off}</p>
        </div>
        <ActionForm
          action={connectionPath(connectionId, "keep-warm")}
          isSmall
          formToken={formToken}
          fields={{ keep_warm: health.keepWarm ? "off" : "on" }}
        >
          {health.keepWarm ? texts.keepWarm.turnOff : texts.keepWarm.turnOn}
        </ActionForm>
      </div>
      {health.mode === "live" && <LiveTrading {...props} />}
      <div class="setting">
        <div>
          <h3>{texts.rotate.heading}</h3>
          <p class="hint">{props.hasCredentials ? texts.rotate.lead : texts.rotate.none}</p>
        </div>
        {props.hasCredentials && (
          <ActionForm action={connectionPath(connectionId, "rotate")} isSmall formToken={formToken}>
            {texts.rotate.button}
          </ActionForm>
        )}
      </div>
      <div class="setting">
        <div>
          <h3>{texts.remove.heading}</h3>
          <p class="hint">{texts.remove.lead}</p>
        </div>
        <a class="button danger small" href={connectionPath(connectionId, "delete")}>
          {texts.remove.open}
        </a>
      </div>
    </section>
  );
}

function RenameForm({ health, formToken, rename }: ConnectionPageProps) {
  return (
    <form method="post" action={connectionPath(health.connectionId, "rename")} class="setting rename">
      <FormToken token={formToken} />
      <Field
        name="label"
        label={texts.rename.label}
        value={rename?.typed ?? health.label}
        error={rename?.error}
        required
        maxLength={MAX_LABEL_LENGTH}
      />
      <Button kind="secondary">{texts.rename.button}</Button>
    </form>
  );
}

function LiveTrading({ health, formToken }: ConnectionPageProps) {
  const path = connectionPath(health.connectionId, "live-trading");
  const isOn = health.liveTradingEnabledAt !== undefined;
  return (
    <div class="setting">
      <div>
        <h3>{texts.liveTrading.heading}</h3>
        <p class="hint">{isOn ? texts.liveTrading.on : texts.liveTrading.off}</p>
      </div>
      {isOn ? (
        <ActionForm action={path} formToken={formToken} fields={{ trading: "off" }} kind="primary" isSmall>
          {texts.liveTrading.forbid}
        </ActionForm>
      ) : (
        <a class="button danger small" href={path}>
          {texts.liveTrading.allow}
        </a>
      )}
    </div>
  );
}
