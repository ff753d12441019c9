import { pino, destination } from 'pino'
import { AGENT_VERSION } from './agent-version.ts'
import { createAgent, type Agent } from './agent.ts'
import { createLinuxPlatform } from './platform/linux/linux-platform.ts'
import { makeDataDir } from './data-dir.ts'
import { secretFlags, variableOf } from './flags.ts'
import { hideSecrets } from './hidden-secrets.ts'
import type { Credentials } from './link/identification.ts'
import { watchKiosk, type KioskWatch } from './kiosk.ts'
import type { Platform } from './platform/platform.ts'
import { withoutPower } from './platform/power.ts'
import { createWindowsPlatform } from './platform/windows/windows-platform.ts'
import { SettingsError } from './settings-error.ts'
import { readSettings, type AgentSettings } from './settings.ts'
import { createFileStore } from './store.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

function credentialsOf(settings: AgentSettings): Credentials {
  const { stationId, mqttSecret, enrolmentKey } = settings
  if (stationId !== undefined && mqttSecret !== undefined) return { kind: 'identity', stationId, mqttSecret }
  if (enrolmentKey !== undefined) return { kind: 'key', enrolmentKey }
  throw new SettingsError(
    'il manque la clé du site\u00a0: donnez --enrolment-key-file FICHIER (ou --station-id avec --mqtt-secret-file).',
    'the site key is missing: give --enrolment-key-file FILE (or --station-id with --mqtt-secret-file).',
  )
}

function platformOf({ dataDir, mayControlPower }: AgentSettings): Platform {
  const platform =
    process.platform === 'win32'
      ? createWindowsPlatform({ dataDir })
      : createLinuxPlatform({ dataDir, searchPath: process.env.PATH ?? '' })
  return mayControlPower ? platform : withoutPower(platform)
}

async function run(settings: AgentSettings): Promise<void> {
  const { server, dataDir, screenPort, hasKiosk, mac, caFingerprint } = settings
  if (server === undefined) {
    throw new SettingsError(
      'il manque l’adresse du serveur\u00a0: donnez --server https://serveur:3443.',
      'the server’s address is missing: give --server https://server:3443.',
    )
  }
  const credentials = credentialsOf(settings)
  makeDataDir(dataDir)
  // Synchronous: a pino worker does not work in the bundle, and no message may be lost at exit.
  const log = pino(
    {
      level: process.env.ESCALE_LOG_LEVEL ?? 'info',
      redact: [
        '*.mqttSecret',
        '*.pairingSecret',
        '*.enrolmentKey',
        '*.password',
        'params.code',
        '*.params.code',
        'mqttSecret',
        'enrolmentKey',
      ],
    },
    destination({ fd: 1, sync: true }),
  )
  const platform = platformOf(settings)
  let kiosk: KioskWatch | undefined
  const agent = createAgent({
    server,
    caFingerprint,
    credentials,
    platform,
    store: createFileStore(dataDir, log),
    screen: { port: screenPort, kiosk: () => kiosk?.status() },
    macAddress: mac,
    log,
  })
  stopOnSignals(agent)
  await agent.start()
  const url = agent.screenUrl() ?? ''
  if (hasKiosk) {
    const { hasPage, watchPages, reportFault } = agent
    kiosk = watchKiosk({ open: () => platform.openKiosk(url), hasPage, watchPages, reportFault, log })
    process.once('exit', kiosk.stop)
    await kiosk.shown
  }
  say(`escale-agent ready station=${agent.stationId() ?? '(pairing)'} screen=${url}`)
}

/** A second signal, or the end of the parent process, has no effect while the agent already stops. */
function stopOnSignals(agent: Agent): void {
  const stop = () => {
    void agent.stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.connected) process.on('disconnect', stop)
}

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const isRoot = process.getuid?.() === 0
  hideSecrets(args)
  const { verb, settings, warnings } = readSettings(args, {
    env: process.env,
    platform: process.platform,
    isRoot,
  })
  // Child processes, such as the visitor's browser, must not inherit secrets.
  for (const flag of secretFlags) Reflect.deleteProperty(process.env, variableOf(flag))
  for (const { fr, en } of warnings) process.stderr.write(`escale-agent: ${fr} · ${en}\n`)
  switch (verb) {
    case 'version':
      say(AGENT_VERSION)
      return
    case 'status': {
      const { statusOf } = await import('./diagnosis.ts')
      const { isRunning, lines } = await statusOf(settings)
      lines.forEach(say)
      process.exitCode = isRunning ? 0 : 1
      return
    }
    case 'doctor': {
      const { examine } = await import('./diagnosis.ts')
      const findings = await examine({ ...settings, searchPath: process.env.PATH ?? '', isRoot })
      for (const { isGood, what, advice } of findings) say(`${isGood ? 'ok ' : 'BAD'} ${what}${advice ?? ''}`)
      process.exitCode = findings.every(({ isGood }) => isGood) ? 0 : 1
      return
    }
    case 'run':
      return run(settings)
  }
}

main().catch((err: unknown) => {
  const message = err instanceof Error ? err.message : String(err)
  process.stderr.write(`escale-agent: ${message}\n`)
  process.exit(err instanceof SettingsError ? 2 : 1)
})
