const CLOCK =
  'by this machine’s clock: set the clock, or renew the certificate on the server with "npm run cert"'
const STRANGER =
  'the server shows a certificate of an authority that this station does not trust: somebody else may be answering. ' +
  'If the server was installed anew on purpose, start the agent with --ca-fingerprint as "npm run cert -- --show" prints it there'

const NOT_ENCRYPTED =
  'ce port n’est pas chiffré\u00a0: donnez http:// au lieu de https://, ou le port https du serveur (3443) · ' +
  'this port is not encrypted: give http:// instead of https://, or the server’s https port (3443)'
const ENCRYPTED =
  'ce port ne parle pas HTTP en clair\u00a0: donnez https:// au lieu de http://, ou le port http du serveur (3000) · ' +
  'this port does not speak plain HTTP: give https:// instead of http://, or the server’s http port (3000)'

/** By Node's and OpenSSL's codes. */
const explanations: Record<string, string> = {
  CERT_HAS_EXPIRED: `the server’s certificate has ended ${CLOCK}`,
  CERT_NOT_YET_VALID: `the server’s certificate is not valid yet ${CLOCK}`,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the server’s certificate is not for this address: use one that it names, or set ESCALE_PUBLIC_URL on the server',
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
  CERT_SIGNATURE_FAILURE: STRANGER,
  EPROTO: NOT_ENCRYPTED,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_ENCRYPTED,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_ENCRYPTED,
  ERR_SSL_HTTP_REQUEST: NOT_ENCRYPTED,
  HPE_INVALID_CONSTANT: ENCRYPTED,
  HPE_INVALID_HEADER_TOKEN: ENCRYPTED,
}

/** An encrypted port hangs up on who speaks plain HTTP to it; undefined for any other failure. */
export function plainFailureOf(server: string, err: unknown): string | undefined {
  const hasHungUp = err instanceof Error && 'code' in err && err.code === 'ECONNRESET'
  return server.startsWith('http:') && hasHungUp ? ENCRYPTED : undefined
}

/** What a refused certificate means and what to do about it; undefined for any other failure. */
export function tlsFailureOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err ? explanations[String(err.code)] : undefined
}
