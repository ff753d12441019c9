import { X509Certificate, createPrivateKey } from 'node:crypto'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]+-----END \1PRIVATE KEY-----/

/** What a server shows, and what it is checked by. */
export interface ServerCertificate {
  /** PEM: the server's certificate, then what links it to its authority. */
  chain: string
  /** PEM. */
  key: string
  /** PEM of the authority that clients are told; undefined where they know it by themselves. */
  authority?: string
  leaf: X509Certificate
}

/** Every certificate in a PEM text, in order. @throws Error for one that cannot be read */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATES) ?? []).map((text) => new X509Certificate(text))
}

/** The private key in a PEM text, as it stands. */
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

/** Whether a certificate is signed by its own key: an authority's, or one that stands for itself. */
export function isOwnIssuer(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/** SHA-256 of the DER form, as `AB:CD:...`: what a person compares. */
export const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256

/** End of a certificate's validity, Unix milliseconds. */
export const expiryMsOf = (certificate: X509Certificate): number => Date.parse(certificate.validTo)
