import { PlainName } from "../pages/components/plain-name.tsx";
import { RelativeTime } from "../pages/components/relative-time.tsx";
import { callerTexts as texts } from "../pages/texts/callers.ts";

export interface LastUseProps {
  readonly use: { readonly at: number; readonly address: string | undefined; readonly client: string | undefined } | undefined;
  readonly now: number;
}

/** When a key or an app was used last, from which address and by which program, as that calls itself. */
export function LastUse({ use, now }: LastUseProps) {
  if (use === undefined) return <>{texts.neverUsed}</>;
  const { at, address, client } = use;
  return (
    <>
      <RelativeTime at={at} now={now} />
      {(address !== undefined || client !== undefined) && (
        <span class="hint cell-note">
          {address !== undefined && `${texts.from} ${address}`}
          {client !== undefined && (
            <>
              {" "}
              {texts.by} <PlainName value={client} />
            </>
          )}
        </span>
      )}
    </>
  );
}
