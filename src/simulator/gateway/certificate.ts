import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";

import { isRecord } from "../../lib/json.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS gateway_certificate (
  id INTEGER PRIMARY KEY CHECK (id = 1), key_pem TEXT NOT NULL, certificate_pem TEXT NOT NULL
) STRICT`;
/** Making a key and signing it takes a second at most. */
const OPENSSL_LIMIT_MS = 20_000;
const VALID_DAYS = "3650";
const run = promisify(execFile);

/** What a TLS server needs, and the fingerprint by which a person knows it. */
export interface GatewayCertificate {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** SHA-256 in upper-case hex with colons. */
  readonly fingerprint: string;
}

/**
 * Opens the self-signed certificate of a store, which stays the same over restarts; a new store gets a new one, for localhost
 * and the loopback addresses. Node can't write certificates, so the `openssl` command makes it: rejects in words where that is
 * not installed.
 */
export async function openCertificate(store: DatabaseSync): Promise<GatewayCertificate> {
  store.exec(SCHEMA);
  const row = store.prepare("SELECT key_pem, certificate_pem FROM gateway_certificate").get() ?? (await makeCertificate(store));
  const certificatePem = String(row["certificate_pem"]);
  return { keyPem: String(row["key_pem"]), certificatePem, fingerprint: new X509Certificate(certificatePem).fingerprint256 };
}

async function makeCertificate(store: DatabaseSync): Promise<Readonly<Record<string, unknown>>> {
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1";
  const output = ["-keyout", "-", "-out", "-", "-subj", "/CN=localhost/O=IBKR simulator", "-addext", names];
  const text = await openssl(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", VALID_DAYS, ...output]);
  const keyPem = partOf(text, "PRIVATE KEY");
  const certificatePem = partOf(text, "CERTIFICATE");
  store.prepare("INSERT INTO gateway_certificate VALUES (1, ?, ?)").run(keyPem, certificatePem);
  return { key_pem: keyPem, certificate_pem: certificatePem };
}

async function openssl(args: readonly string[]): Promise<string> {
  try {
    return (await run("openssl", args, { timeout: OPENSSL_LIMIT_MS })).stdout;
  } catch (cause) {
    const missing = isRecord(cause) && cause["code"] === "ENOENT";
    const why = missing ? "the openssl command, which makes it, is not installed" : "the openssl command failed";
    throw new Error(`the gateway needs a certificate, but ${why}`, { cause });
  }
}

function partOf(text: string, label: string): string {
  const part = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0];
  if (part === undefined) throw new Error(`the openssl command gave no ${label}`);
  return `${part}\n`;
}
