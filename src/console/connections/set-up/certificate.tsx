import type { ConnectionDraft } from "../../../auth/connection-drafts.ts";
import type { ConnectionOffer } from "../../../connections/connection-offers.ts";
import { GatewayError } from "../../../lib/errors.ts";
import type { KeyedLock } from "../../../lib/keyed-lock.ts";
import { ChoiceGroup } from "../../../pages/components/choice-group.tsx";
import { DescriptionList } from "../../../pages/components/description-list.tsx";
import { Field } from "../../../pages/components/field.tsx";
import { Notice } from "../../../pages/components/notice.tsx";
import { PlainName } from "../../../pages/components/plain-name.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";

type Certificate = NonNullable<Awaited<ReturnType<NonNullable<ConnectionOffer["certificate"]>["read"]>>>;

/** What a person is to compare at this step. */
export type CertificateToConfirm =
  | { readonly kind: "shown"; readonly field: string; readonly certificate: Certificate }
  /** The address is plain http: there is none. */
  | { readonly kind: "none"; readonly field: string }
  /** It could not be read: the person may enter the fingerprint. */
  | { readonly kind: "unread"; readonly field: string; readonly problem: string };

/** Long enough for a gateway that has just been started. */
const READ_LIMIT_MS = 10_000;

/** Who asks, and what lets them ask one at a time. */
export interface CertificateReader {
  readonly lock: KeyedLock<string>;
  readonly userId: string;
}

/**
 * Reads the certificate that is shown at the draft's address, at the step that confirms it; undefined at every other step. For one page
 * of a person at a time: each is a connection from this machine to a port that they chose.
 */
export async function readCertificate(
  draft: ConnectionDraft,
  index: number,
  { lock, userId }: CertificateReader,
): Promise<CertificateToConfirm | undefined> {
  const { certificate, steps } = draft.offer;
  if (certificate === undefined || steps[index]?.fields.includes(certificate.field) !== true) return undefined;
  const { field } = certificate;
  try {
    const read = () => certificate.read(draft.values, AbortSignal.timeout(READ_LIMIT_MS));
    const shown = await lock.run(JSON.stringify(["certificate", userId]), read);
    return shown === undefined ? { kind: "none", field } : { kind: "shown", field, certificate: shown };
  } catch (error) {
    if (error instanceof GatewayError) return { kind: "unread", field, problem: `${error.message} ${error.whatToDo}` };
    if (error instanceof DOMException) return { kind: "unread", field, problem: texts.certificate.tooSlow };
    throw error;
  }
}

export interface CertificateFieldProps {
  readonly toConfirm: CertificateToConfirm;
  /** The fingerprint that was confirmed before. */
  readonly confirmed: string;
  readonly error: string | undefined;
}

/** Shows the certificate and asks whether it is the right one. */
export function CertificateField({ toConfirm, confirmed, error }: CertificateFieldProps) {
  switch (toConfirm.kind) {
    case "none":
      return (
        <Notice tone="warning">
          <p>{texts.certificate.none}</p>
        </Notice>
      );
    case "unread":
      return (
        <>
          <Notice tone="warning" title={texts.certificate.unread}>
            <p>{toConfirm.problem}</p>
          </Notice>
          <Field
            name={toConfirm.field}
            label={texts.certificate.fingerprint}
            hint={texts.certificate.byHand}
            value={confirmed}
            error={error}
            maxLength={200}
          />
        </>
      );
    case "shown":
      return <Shown toConfirm={toConfirm} confirmed={confirmed} error={error} />;
  }
}

function Shown({
  toConfirm,
  confirmed,
  error,
}: CertificateFieldProps & { readonly toConfirm: Extract<CertificateToConfirm, { kind: "shown" }> }) {
  const { fingerprint, subject, issuer, validFrom, validTo, isSelfSigned } = toConfirm.certificate;
  return (
    <>
      <p class="label">{texts.certificate.fingerprint}</p>
      <p class="copyable-text fingerprint">
        <code>{fingerprint}</code>
      </p>
      <DescriptionList
        rows={[
          { name: texts.certificate.subject, value: <PlainName value={subject} /> },
          { name: texts.certificate.issuer, value: isSelfSigned ? texts.certificate.itself : <PlainName value={issuer} /> },
          { name: texts.certificate.valid, value: `${day(validFrom)} – ${day(validTo)}` },
        ]}
      />
      <ChoiceGroup
        name={toConfirm.field}
        legend={texts.certificate.question}
        pick="many"
        chosen={[confirmed]}
        error={error}
        choices={[{ value: fingerprint, label: texts.certificate.confirm }]}
      />
    </>
  );
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
