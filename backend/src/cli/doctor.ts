import { resolve } from 'node:path'
import { certificateFolderOf, databaseUrlOf } from '../setup/app-options.ts'
import { createMonotonicClock } from '../clock.ts'
import { EXIT_USAGE, isUnderstood, runCommand } from './command.ts'
import { readTokenKey } from '../setup/data-folder.ts'
import { findBackup } from '../doctor/backups.ts'
import { findData } from '../doctor/data.ts'
import { bad, good, type Finding } from '../doctor/finding.ts'
import { findCertificate, findClock, findDisk, findFolder, findMemory, findNode } from '../doctor/machine.ts'
import { findPort } from '../doctor/ports.ts'
import { askServer, findBroker } from '../doctor/running.ts'
import type { Environment } from '../setup/environment.ts'
import { createTokens } from '../features/auth/index.ts'
import { isLocalHost, plainHostOf } from '../setup/listeners.ts'
import { say } from './terminal.ts'

const clock = createMonotonicClock()

await runCommand(async (environment, remarks) => {
  if (!isUnderstood(process.argv.slice(2), 0)) return EXIT_USAGE
  const findings = [
    ...remarks.map(({ french, english }) => bad(french, english)),
    ...(await examine(environment)),
  ]
  for (const { isGood, french, english } of findings) {
    say(isGood ? `✓ ${french} · ${english}` : `✗ ${french}\n  ${english}`)
  }
  return findings.every(({ isGood }) => isGood) ? 0 : 1
})

async function examine(environment: Environment): Promise<Finding[]> {
  const dataDir = resolve(environment.ESCALE_DATA_DIR)
  const place = findFolder(dataDir)
  // The rest is in there.
  if (!place.isUsable) return [findNode(), findMemory(), place]
  const folder = certificateFolderOf(environment, clock)
  const data = await findData(databaseUrlOf(environment))
  return [
    findNode(),
    findMemory(),
    place,
    findDisk(dataDir),
    await findClock(clock.nowMs(), data.lastRecordMs),
    findCertificate(folder, clock.nowMs()),
    ...data.findings,
    findBackup(dataDir, environment, clock.nowMs()),
    ...(await findListeners(environment, dataDir, data.adminId)),
  ]
}

async function findListeners(environment: Environment, dataDir: string, adminId: string | undefined) {
  const {
    ESCALE_HOST: host,
    ESCALE_HTTP_PORT,
    ESCALE_MQTT_PORT,
    ESCALE_HTTPS_PORT,
    ESCALE_MQTTS_PORT,
  } = environment
  const plainHost = plainHostOf(environment)
  const token = adminId === undefined ? undefined : await tokenFor(dataDir, adminId)
  const answering = await askServer(`http://${localOf(plainHost)}:${ESCALE_HTTP_PORT}`, token)
  if (answering === 'ours' && token !== undefined) {
    const authority = certificateFolderOf(environment, clock).read()?.authority
    return [
      good('Le serveur tourne', 'The server is running'),
      await findBroker(`mqtt://${localOf(plainHost)}:${ESCALE_MQTT_PORT}`, token, undefined),
      await findBroker(`mqtts://${localOf(host)}:${ESCALE_MQTTS_PORT}`, token, authority),
    ]
  }
  const stopped =
    answering === 'foreign'
      ? bad(
          `Un autre serveur répond sur le port ${ESCALE_HTTP_PORT}\u00a0: arrêtez-le, ou donnez ESCALE_DATA_DIR de celui-là.`,
          `Another server answers on port ${ESCALE_HTTP_PORT}: stop it, or give that one’s ESCALE_DATA_DIR.`,
        )
      : good(
          'Le serveur ne tourne pas\u00a0: le courtier n’est pas essayé',
          'The server is not running: the broker is not tried',
        )
  return [
    stopped,
    await findPort('ESCALE_HTTP_PORT', plainHost, ESCALE_HTTP_PORT),
    await findPort('ESCALE_HTTPS_PORT', host, ESCALE_HTTPS_PORT),
    await findPort('ESCALE_MQTT_PORT', plainHost, ESCALE_MQTT_PORT),
    await findPort('ESCALE_MQTTS_PORT', host, ESCALE_MQTTS_PORT),
  ]
}

async function tokenFor(dataDir: string, adminId: string): Promise<string | undefined> {
  const key = readTokenKey(dataDir)
  return key && createTokens(key, clock).sign({ sub: adminId, username: 'doctor', role: 'admin' })
}

/** Where to reach from here what binds `host`. */
function localOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') && isLocalHost(host) ? `[${host}]` : host
}
