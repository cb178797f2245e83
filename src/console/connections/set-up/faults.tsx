import { Notice } from "../../../pages/components/notice.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";

export interface FaultsProps {
  /** Each wrong field with why. */
  readonly faults: readonly (readonly [field: string, message: string])[];
  /** Why nothing was done although all fields are right. */
  readonly refusal?: string | undefined;
}

/** Says at the top of a form what is wrong in it, each with the way there. */
export function Faults({ faults, refusal }: FaultsProps) {
  if (faults.length === 0 && refusal === undefined) return <></>;
  return (
    <Notice tone="error" title={texts.errors.summary}>
      {refusal !== undefined && <p>{refusal}</p>}
      {faults.length > 0 && (
        <ul>
          {faults.map(([field, message]) => (
            <li>
              <a href={`#${field === "kind" ? "kind-0" : field}`}>{message}</a>
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
