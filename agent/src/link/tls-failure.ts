const CLOCK =
  'by this machine’s clock: set the clock, or renew the certificate on the server with "npm run cert"'
const STRANGER =
  'the server shows a certificate of an authority that this station does not trust: somebody else may be answering. ' +
  'If the server was installed anew on purpose, start the agent with --ca-fingerprint as "npm run cert -- --show" prints it there'

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
  EPROTO: 'the server does not speak TLS on this port: check the address and its port',
}

/** What a refused certificate means and what to do about it; undefined for any other failure. */
export function tlsFailureOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err ? explanations[String(err.code)] : undefined
}
