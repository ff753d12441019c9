import 'reflect-metadata'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { isIP } from 'node:net'
import { DAY_MS } from '@escale/protocol'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509Certificate,
} from '@peculiar/x509'

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' }
const AUTHORITY_DAYS = 30 * 365
/** Together with the backdated days, below the 825 days that Apple's browsers accept. */
const SERVER_DAYS = 397
/** A station with an empty battery, whose clock is far behind, can still connect. Source: docs/adr/0013-own-authority.md */
const BACKDATED_DAYS = 400

export interface IssueRequest {
  /** PEM of the authority's key and certificate; without it an authority is made. */
  authority?: string
  /** Name of this machine, for the authority's certificate. */
  machine: string
  names: string[]
  /** Unix milliseconds. */
  nowMs: number
}

/** PEM: of the authority, its key and certificate; of the server, these two and the authority's certificate. */
export interface Issued {
  authority: string
  server: string
}

const validity = (nowMs: number, days: number) => ({
  notBefore: new Date(nowMs - BACKDATED_DAYS * DAY_MS),
  notAfter: new Date(nowMs + days * DAY_MS),
})
/** Positive and unique, as RFC 5280 demands. */
const drawSerial = () => `01${randomBytes(15).toString('hex')}`
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const forSigning = (key: KeyObject) => key.toCryptoKey(CURVE, false, ['sign'])
const forChecking = (key: KeyObject) => key.toCryptoKey(CURVE, true, ['verify'])

/** Makes the site's own authority. @returns PEM: its key, then its certificate */
export async function issueAuthority(machine: string, nowMs: number): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: CURVE.namedCurve })
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: drawSerial(),
    // Tells two servers with the same name apart.
    name: [{ O: ['Escale'] }, { CN: [`Escale ${machine} ${randomBytes(3).toString('hex')}`] }],
    ...validity(nowMs, AUTHORITY_DAYS),
    signingAlgorithm: SIGNING,
    keys: { privateKey: forSigning(privateKey), publicKey: forChecking(publicKey) },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(forChecking(publicKey)),
    ],
  })
  return `${pemOf(privateKey)}${certificate.toString('pem')}\n`
}

/**
 * Makes a certificate for a server.
 * @param authority what {@link issueAuthority} made
 * @param names host names and addresses
 * @returns PEM: the key, the certificate, the authority's certificate
 */
export async function issueServerCertificate(
  authority: string,
  names: readonly string[],
  nowMs: number,
): Promise<string> {
  const issuerKey = createPrivateKey(authority)
  const issuer = new X509Certificate(authority.slice(authority.indexOf('-----BEGIN CERTIFICATE-----')))
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: CURVE.namedCurve })
  const certificate = await X509CertificateGenerator.create({
    serialNumber: drawSerial(),
    subject: [{ O: ['Escale'] }, { CN: [names[0] ?? 'localhost'] }],
    issuer: issuer.subject,
    ...validity(nowMs, SERVER_DAYS),
    signingAlgorithm: SIGNING,
    publicKey: forChecking(publicKey),
    signingKey: forSigning(issuerKey),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await SubjectKeyIdentifierExtension.create(forChecking(publicKey)),
      await AuthorityKeyIdentifierExtension.create(forChecking(createPublicKey(issuerKey))),
    ],
  })
  return `${pemOf(privateKey)}${certificate.toString('pem')}\n${issuer.toString('pem')}\n`
}
