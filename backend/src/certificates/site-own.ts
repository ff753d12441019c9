import { createPrivateKey, type KeyObject } from 'node:crypto'
import { SetupError } from '../errors.ts'
import { certificatesIn, expiryMsOf, isOwnIssuer, keyIn } from './pem.ts'

/**
 * Checks a certificate that the site brings itself, before it replaces another.
 * @param cert PEM: the server's certificate, then those that link it to its authority
 * @param ca PEM of an authority that clients do not know already
 * @returns PEM of key and certificates, as the certificate folder keeps them
 * @throws SetupError that says what to do
 */
export function checkSiteOwn(cert: string, key: string, ca: string | undefined, nowMs: number): string {
  const chain = certificatesIn(cert)
  const [leaf] = chain
  if (!leaf)
    throw new SetupError(
      'Le fichier --cert ne contient pas de certificat PEM.',
      'The --cert file has no PEM certificate.',
    )
  const ownKey = keyIn(key)
  const privateKey = ownKey === undefined ? undefined : plainKeyOf(ownKey)
  if (!privateKey) {
    throw new SetupError(
      'Le fichier --key ne contient pas de clé privée PEM lisible\u00a0: retirez son mot de passe (openssl pkey).',
      'The --key file has no readable PEM private key: remove its password (openssl pkey).',
    )
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new SetupError(
      'La clé et le certificat ne vont pas ensemble\u00a0: donnez la clé de ce certificat.',
      'Key and certificate do not belong together: give the key of this certificate.',
    )
  }
  if (leaf.subjectAltName === undefined) {
    throw new SetupError(
      'Ce certificat ne nomme aucune adresse de serveur (subjectAltName)\u00a0: les navigateurs le refuseraient. Demandez-en un qui nomme ce serveur.',
      'This certificate names no address of a server (subjectAltName): browsers would refuse it. Ask for one that names this server.',
    )
  }
  if (expiryMsOf(leaf) <= nowMs) {
    throw new SetupError(
      `Ce certificat a pris fin le ${leaf.validTo}\u00a0: demandez-en un nouveau.`,
      `This certificate ended on ${leaf.validTo}: ask for a new one.`,
    )
  }
  const authority = ca === undefined ? undefined : certificatesIn(ca).find(isOwnIssuer)
  if (ca !== undefined && !authority) {
    throw new SetupError(
      'Le fichier --ca ne contient pas d’autorité racine (certificat qui se signe lui-même).',
      'The --ca file has no root authority (a certificate that signs itself).',
    )
  }
  const whole =
    authority && !chain.some((known) => known.raw.equals(authority.raw)) ? [...chain, authority] : chain
  for (const [i, issuer] of whole.slice(1).entries()) {
    const issued = whole[i]
    if (issued?.checkIssued(issuer) && issued.verify(issuer.publicKey)) continue
    throw new SetupError(
      `La chaîne est rompue\u00a0: «\u202f${nameOf(issued)}\u202f» n’est pas signé par «\u202f${nameOf(issuer)}\u202f». Mettez dans --cert le certificat du serveur puis les intermédiaires, dans l’ordre.`,
      `The chain is broken: “${nameOf(issued)}” is not signed by “${nameOf(issuer)}”. Put into --cert the server’s certificate, then the intermediate ones, in order.`,
    )
  }
  return `${ownKey}\n${whole.map(String).join('')}`
}

const nameOf = (certificate: { subject: string } | undefined) =>
  certificate?.subject.replaceAll('\n', ', ') ?? '?'

/** Undefined for a key that needs a password, or is no key. */
function plainKeyOf(key: string): KeyObject | undefined {
  try {
    return createPrivateKey(key)
  } catch {
    return undefined
  }
}
