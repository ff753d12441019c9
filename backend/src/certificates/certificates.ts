import { watch } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { RENEW_BEFORE_DAYS, daysLeft, type CertificateFolder } from './folder.ts'
import { expiryMsOf, fingerprintOf, type ServerCertificate } from './pem.ts'

const CHECK_EVERY_MS = 6 * 3_600_000
/** Several files may change together: read when no more changes come. */
const SETTLE_MS = 200

export type Certificates = Awaited<ReturnType<typeof openCertificates>>

/**
 * The certificate of a running server: renewed in time, and read again when it changes in the folder.
 * @throws Error when there is no usable certificate
 */
export async function openCertificates(folder: CertificateFolder, clock: Clock, log: Logger) {
  const listeners: ((certificate: ServerCertificate) => void)[] = []
  let current = await folder.ensure()
  logValidity()

  function logValidity() {
    const { leaf, authority } = current
    const days = daysLeft(leaf, clock.nowMs())
    const facts = { expiresAt: new Date(expiryMsOf(leaf)).toISOString(), days }
    if (days < RENEW_BEFORE_DAYS) log.warn(facts, 'the site’s own certificate is about to end: npm run cert')
    else log.info({ ...facts, authority: authority && fingerprintOf(authority) }, 'certificate')
  }

  function replaceBy(found: ServerCertificate | undefined) {
    if (!found || found.leaf.fingerprint256 === current.leaf.fingerprint256) return
    current = found
    for (const listener of listeners) listener(found)
    logValidity()
  }

  const failed = (err: unknown) => log.error({ err }, 'the certificate in the folder cannot be used')
  const check = setInterval(() => {
    folder.ensure().then((found) => {
      replaceBy(found)
      if (daysLeft(found.leaf, clock.nowMs()) < RENEW_BEFORE_DAYS) logValidity()
    }, failed)
  }, CHECK_EVERY_MS).unref()

  let settling: NodeJS.Timeout | undefined
  const watcher = watch(folder.path, { persistent: false }, () => {
    clearTimeout(settling)
    settling = setTimeout(() => {
      try {
        replaceBy(folder.read())
      } catch (err) {
        failed(err)
      }
    }, SETTLE_MS)
  })
  watcher.on('error', (err) => log.warn({ err }, 'a certificate renewed by hand is taken within six hours'))

  return {
    current: () => current,
    /** Calls `listener` with each new certificate. */
    onRenewed: (listener: (typeof listeners)[number]) => void listeners.push(listener),
    close(): void {
      clearInterval(check)
      clearTimeout(settling)
      watcher.close()
    },
  }
}
