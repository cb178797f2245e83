import { X509Certificate } from "node:crypto";

import { GatewayError } from "../lib/errors.ts";
import { peerCertificateOf } from "./guarded-connect.ts";
import type { HostPolicy } from "./host-policy.ts";

/** A certificate as a person compares it. */
export interface ShownCertificate {
  /** SHA-256 in upper-case hex with colons. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  /** Epoch ms. */
  readonly validFrom: number;
  readonly validTo: number;
  /** True for one that vouches for itself, as a Client Portal Gateway's own does. */
  readonly isSelfSigned: boolean;
}

/**
 * Reads the certificate that is shown at an address, for a person to confirm; nothing else is asked there. Undefined where there is none
 * to confirm, at `http://`. Throws the policy's `GatewayError`, and `upstream_unavailable` when nobody answers or not in TLS.
 */
export async function readGatewayCertificate(
  address: string,
  hostPolicy: HostPolicy,
  signal: AbortSignal,
): Promise<ShownCertificate | undefined> {
  const url = hostPolicy.checkUrl(address);
  if (url.protocol === "http:") return undefined;
  try {
    const certificate = new X509Certificate(await peerCertificateOf({ url, hostPolicy }, signal));
    return {
      fingerprint: certificate.fingerprint256,
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      validFrom: certificate.validFromDate.getTime(),
      validTo: certificate.validToDate.getTime(),
      isSelfSigned: certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey),
    };
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    signal.throwIfAborted();
    throw silent(url, error);
  }
}

/** Writes a fingerprint as it is compared: upper-case hex with colons, from any form that tools print. */
export function normalizeFingerprint(text: string): string {
  const hex = text.replace(/^.*=/, "").replaceAll(/[\s:]/g, "");
  return /^[0-9a-f]{64}$/i.test(hex) ? (hex.toUpperCase().match(/../g) ?? []).join(":") : text;
}

function silent(url: URL, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO" || code.startsWith("ERR_SSL"))
    return new GatewayError("upstream_unavailable", `What answers at ${url.host} does not speak TLS (https).`, {
      whatToDo: "Check the port. A Client Portal Gateway that was set to listenSsl: false is reached by http://, on this machine alone.",
      cause,
    });
  return new GatewayError("upstream_unavailable", `Nobody answers at ${url.host}.`, {
    whatToDo: "Check that the Client Portal Gateway runs there, and that its port (5000, or 5001 on a Mac) is right.",
    cause,
  });
}

/** node writes each part of a name on a line of its own. */
function oneLine(name: string | undefined): string {
  return (name ?? "")
    .split("\n")
    .filter((part) => part !== "")
    .join(", ");
}
