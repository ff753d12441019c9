import { X509Certificate, createPrivateKey } from 'node:crypto'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]+-----END \1PRIVATE KEY-----/

/** A server's certificate, its key, and the authority that clients check it with. */
export interface ServerCertificate {
  /** PEM: the server's certificate, then the intermediate ones up to its authority. */
  chain: string
  /** PEM. */
  key: string
  /** PEM of the authority for clients; undefined when clients know it already. */
  authority?: string
  leaf: X509Certificate
}

/** All certificates in a PEM text, in order. @throws Error when one cannot be read */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATES) ?? []).map((text) => new X509Certificate(text))
}

/** The part of a PEM text that is the private key. */
export const keyIn = (pem: string): string | undefined => KEY.exec(pem)?.[0]

/**
 * Reads a key with its certificates, the server's own first; a last one signed by itself is the authority.
 * @throws Error when there is no key, no certificate, or they do not belong together
 */
export function readServerCertificate(pem: string): ServerCertificate {
  const certificates = certificatesIn(pem)
  const [leaf] = certificates
  const key = keyIn(pem)
  if (!leaf || key === undefined) throw new Error('the file holds no certificate with its private key')
  if (!leaf.checkPrivateKey(createPrivateKey(key)))
    throw new Error('key and certificate do not belong together')
  const last = certificates.at(-1)
  return {
    chain: certificates.map(String).join(''),
    key,
    authority: last && isOwnIssuer(last) ? String(last) : undefined,
    leaf,
  }
}

/** Whether a certificate is signed by its own key: a root authority, or a self-signed certificate. */
export function isOwnIssuer(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/** SHA-256 of the DER form, as `AB:CD:...`, for people to compare. */
export const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256

/** When a certificate expires, Unix milliseconds. */
export const expiryMsOf = (certificate: X509Certificate): number => Date.parse(certificate.validTo)
