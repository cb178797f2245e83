import { DescriptionList } from "../../../pages/components/description-list.tsx";
import { RelativeTime } from "../../../pages/components/relative-time.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { nextMidnight } from "./next-midnight.ts";

/** When IBKR's regions reset next: a new key is known after that. */
export function ResetTimes({ now }: { readonly now: number }) {
  return (
    <section class="resets" aria-labelledby="resets">
      <h3 id="resets">{texts.resets.title}</h3>
      <p class="hint">{texts.resets.lead}</p>
      <DescriptionList
        rows={Object.entries(texts.resets.regions).map(([zone, name]) => ({
          name,
          value: <RelativeTime at={nextMidnight(zone, now)} now={now} />,
        }))}
      />
    </section>
  );
}
