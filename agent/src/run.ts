import { pino, destination, type Logger } from 'pino'
import { createAgent, type Agent } from './agent.ts'
import { createConditions } from './conditions.ts'
import { claimDataDir, makeDataDir } from './data-dir.ts'
import type { Credentials } from './link/identification.ts'
import { watchKiosk, type KioskWatch } from './kiosk.ts'
import { createGuest, type Guest } from './platform/linux/guest/guest.ts'
import { createLinuxPlatform } from './platform/linux/linux-platform.ts'
import { createLinuxSeat, type LinuxSeat } from './platform/linux/seat/linux-seat.ts'
import type { Platform } from './platform/platform.ts'
import { withoutPower } from './platform/power.ts'
import { lockedByPage } from './platform/shown-page.ts'
import { createWindowsPlatform } from './platform/windows/windows-platform.ts'
import { createServiceManager, type ServiceManager, type ServiceSettings } from './service-manager.ts'
import { SettingsError } from './settings-error.ts'
import type { AgentSettings } from './settings.ts'
import { createFileStore } from './store.ts'

export interface RunOptions {
  /** The `PATH` in which a browser is looked for. */
  searchPath: string
  /** Of pino. */
  logLevel: string
  /** What systemd expects, if it runs this agent. */
  service: ServiceSettings
}

function credentialsOf(settings: AgentSettings): Credentials {
  const { stationId, mqttSecret, enrolmentKey } = settings
  if (stationId !== undefined && mqttSecret !== undefined) return { kind: 'identity', stationId, mqttSecret }
  if (enrolmentKey !== undefined) return { kind: 'key', enrolmentKey }
  throw new SettingsError(
    'il manque la clé du site\u00a0: donnez --enrolment-key-file FICHIER (ou --station-id avec --mqtt-secret-file).',
    'the site key is missing: give --enrolment-key-file FILE (or --station-id with --mqtt-secret-file).',
  )
}

async function seatOf({ hasSeatLock }: AgentSettings): Promise<LinuxSeat | undefined> {
  if (!hasSeatLock) return undefined
  if (process.platform === 'linux') return createLinuxSeat()
  throw new SettingsError(
    '--seat-lock n’existe que sous Linux\u00a0: retirez ce réglage.',
    '--seat-lock exists on Linux only: remove this setting.',
  )
}

/** The visitors' account, and the seat with the session of this account. */
interface Visitors {
  guest?: Guest
  linuxSeat?: LinuxSeat
}

async function visitorsOf(settings: AgentSettings): Promise<Visitors> {
  const { guestUser } = settings
  if (guestUser !== undefined && process.platform !== 'linux') {
    throw new SettingsError(
      '--guest-user n’existe que sous Linux\u00a0: retirez ce réglage.',
      '--guest-user exists on Linux only: remove this setting.',
    )
  }
  const visitors: Visitors = {}
  // The account comes first: the seat wants it to exist.
  const endSession = async () => visitors.linuxSeat?.seat.end()
  if (guestUser !== undefined) visitors.guest = await createGuest(guestUser, endSession)
  visitors.linuxSeat = await seatOf(settings)
  return visitors
}

function platformOf(
  { dataDir, mayControlPower }: AgentSettings,
  searchPath: string,
  { guest, linuxSeat }: Visitors,
): Platform {
  const platform =
    process.platform === 'win32'
      ? createWindowsPlatform({ dataDir })
      : createLinuxPlatform({ dataDir, searchPath, guest, ...linuxSeat })
  return mayControlPower ? platform : withoutPower(platform)
}

/** Synchronous: a pino worker does not work in the bundle, and no message may be lost at exit. */
const createLog = (level: string): Logger =>
  pino(
    {
      level,
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

/** Runs the agent until a signal ends it. Resolves once the screen is there. */
export async function run(
  settings: AgentSettings,
  { searchPath, logLevel, service }: RunOptions,
): Promise<void> {
  const { server, dataDir, screenPort, hasKiosk, mac, caFingerprint } = settings
  if (server === undefined) {
    throw new SettingsError(
      'il manque l’adresse du serveur\u00a0: donnez --server https://serveur:3443.',
      'the server’s address is missing: give --server https://server:3443.',
    )
  }
  const credentials = credentialsOf(settings)
  makeDataDir(dataDir)
  await claimDataDir(dataDir)
  const log = createLog(logLevel)
  const visitors = await visitorsOf(settings)
  const pages = createConditions()
  const machine = platformOf(settings, searchPath, visitors)
  const platform = hasKiosk ? lockedByPage(machine, { hasPage: () => agent.hasPage(), pages }) : machine
  let kiosk: KioskWatch | undefined
  const agent = createAgent({
    server,
    caFingerprint,
    credentials,
    platform,
    store: createFileStore(dataDir, log),
    screen: { port: screenPort, key: visitors.linuxSeat?.screenKey, kiosk: () => kiosk?.status() },
    macAddress: mac,
    log,
  })
  agent.watchPages(pages.check)
  const manager = createServiceManager(service, searchPath, log)
  stopOnSignals(agent, manager)
  await agent.start()
  manager.ready()
  const url = agent.screenUrl() ?? ''
  if (hasKiosk) {
    const { hasPage, watchPages, reportFault } = agent
    kiosk = watchKiosk({ open: () => platform.openKiosk(url), hasPage, watchPages, reportFault, log })
    process.once('exit', kiosk.stop)
    await kiosk.shown
  }
  process.stdout.write(`escale-agent ready station=${agent.stationId() ?? '(pairing)'} screen=${url}\n`)
}

/** A second signal, or the end of the parent process, has no effect while the agent already stops. */
function stopOnSignals(agent: Agent, manager: ServiceManager): void {
  const stop = () => {
    manager.stopping()
    void agent.stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.connected) process.on('disconnect', stop)
}
