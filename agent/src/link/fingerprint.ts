import { X509Certificate } from 'node:crypto'

const HEX = /^[0-9a-f]{64}$/
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/

/**
 * A SHA-256 fingerprint in any common notation (`AB:CD:…`, `abcd…`, `SHA256:` and base64) as 64 hex digits;
 * undefined when it is none.
 */
export function normaliseFingerprint(text: string): string | undefined {
  const bare = text.trim().replace(/^sha-?256(\s+fingerprint)?\s*[:=]\s*/i, '')
  const digits = bare.toLowerCase().replace(/[:\s.-]/g, '')
  if (HEX.test(digits)) return digits
  return BASE64.test(bare) ? Buffer.from(bare, 'base64').toString('hex') : undefined
}

/** The SHA-256 of a certificate's DER form, as 64 hex digits. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** As people compare it: `AB:CD:…`. */
export function shownFingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256
}
