import type { ConnectionHealth } from "../../connections/connections.ts";
import { LinkButton } from "../../pages/components/button.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { connectionHealthTexts } from "../../pages/texts/connection-health.ts";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import { connectionPath } from "../connections/connection-paths.ts";
import { overallHealth } from "../connections/overall-health.ts";

/** Why a connection asks nothing of its broker. */
export type StoppedState = "paused" | "frozen" | "not_served";

/** Says whether a connection is stopped; undefined while it may be opened. */
export function stoppedState(health: ConnectionHealth, servesDemo: boolean): StoppedState | undefined {
  const { state } = overallHealth(health, servesDemo);
  return state === "paused" || state === "frozen" || state === "not_served" ? state : undefined;
}

/** What stands in place of a portfolio while its connection is stopped. */
export function StoppedNotice({ state, connectionId }: { readonly state: StoppedState; readonly connectionId: string }) {
  return (
    <>
      <Notice tone="warning" title={texts.stopped.title} isQuiet>
        <p>{connectionHealthTexts.sentences[state]}</p>
      </Notice>
      <div>
        <LinkButton kind="primary" href={connectionPath(connectionId)}>
          {texts.stopped.open}
        </LinkButton>
      </div>
    </>
  );
}
