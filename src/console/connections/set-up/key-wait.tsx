import { Notice } from "../../../pages/components/notice.tsx";
import { RelativeTime } from "../../../pages/components/relative-time.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";

/** Says by when the broker takes new keys into use. Both times in epoch ms. */
export function KeyWait({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <Notice tone="info" title={texts.wait.title}>
      <p>
        {texts.wait.by}{" "}
        <strong>
          <RelativeTime at={at} now={now} />
        </strong>{" "}
        ({utc(at)}). {texts.wait.lead}
      </p>
    </Notice>
  );
}

function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
