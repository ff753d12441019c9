import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { hostname, uptime } from 'node:os'
import { promisify } from 'node:util'
import { cpuTemperature, currentLoad, mem, osInfo } from 'systeminformation'
import { readMarks } from '../machine-marks.ts'
import { cardOf, localAddressTowards } from '../network-card.ts'
import { CommandFailure } from '../../link/command-failure.ts'
import { diskPercent, percentOf } from '../portable.ts'
import type { MachineIdentity, Metrics, Platform } from '../platform.ts'
import type { Guest } from './guest/guest.ts'
import { openKiosk } from './kiosk-browser.ts'
import type { Seat } from './seat/seat.ts'

/** Reading the temperature starts a process (8 ms of a core), so it is read once a minute. */
const TEMPERATURE_INTERVAL_MS = 60_000

const POWER_LIMIT_MS = 20_000

const run = promisify(execFile)

export interface LinuxOptions {
  /** Where the kiosk's browser stores its profile. `diskPercent` is measured on its file system. */
  dataDir: string
  /** The `PATH` in which a browser is looked for. */
  searchPath: string
  /** Without it, lock and open do nothing: the screen's page covers the desktop. */
  seat?: Seat
  /** Opens another browser than the one that this user starts. */
  openScreen?: Platform['openKiosk']
  /** The visitors' account. Without it nothing is made for a visitor, and nothing is removed after one. */
  guest?: Guest
}

/** A Debian-like machine with systemd. */
export function createLinuxPlatform({
  dataDir,
  searchPath,
  seat,
  openScreen,
  guest,
}: LinuxOptions): Platform {
  const temperature = createTemperatureMeter()
  let os: Promise<string> | undefined
  return {
    identity: async ({ hostname: host, port }): Promise<MachineIdentity> => ({
      hostname: hostname(),
      os: await (os ??= osName().catch(() => 'Linux')),
      ...cardOf(await localAddressTowards(host, Number(port) || 1), await defaultInterfaces()),
    }),
    marks: readMarks,
    metrics: async (): Promise<Metrics> => {
      const [load, memory, disk, temperatureC] = await Promise.all([
        currentLoad(),
        mem(),
        diskPercent(dataDir),
        temperature(),
      ])
      return {
        uptimeSeconds: Math.floor(uptime()),
        cpuPercent: percentOf(load.currentLoad, 100),
        memoryPercent: percentOf(memory.total - memory.available, memory.total),
        diskPercent: disk,
        ...(temperatureC === undefined ? {} : { temperatureC }),
      }
    },
    lock: async (signal) => seat?.lock(signal),
    open: async (signal, sessionId) => {
      await guest?.open(signal, sessionId)
      await seat?.open(signal)
    },
    clean: async (signal) => {
      if (guest !== undefined) return guest.clean(signal)
      await seat?.end()
      return undefined
    },
    checkPower,
    reboot: async () => {
      await run('systemctl', ['reboot'], { timeout: POWER_LIMIT_MS })
    },
    shutdown: async () => {
      await run('systemctl', ['poweroff'], { timeout: POWER_LIMIT_MS })
    },
    openKiosk: openScreen ?? ((url) => openKiosk(url, { dataDir, searchPath })),
  }
}

async function osName(): Promise<string> {
  const { distro, release } = await osInfo()
  return `${distro} ${release}`.trim().slice(0, 100)
}

/** Interfaces of the default routes, whose destination is 0. Source: proc(5), /proc/net/route and ipv6_route. */
async function defaultInterfaces(): Promise<string[]> {
  const [ipv4, ipv6] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map((path) => readFile(path, 'utf8').catch(() => '')),
  )
  const rowsOf = (table = '') => table.split('\n').map((line) => line.trim().split(/\s+/))
  const byIpv4 = rowsOf(ipv4).flatMap(([name, target]) => (name && target === '00000000' ? [name] : []))
  const byIpv6 = rowsOf(ipv6).flatMap(([target, bits, ...rest]) => {
    const name = rest.at(-1)
    return name && bits === '00' && /^0+$/.test(target ?? '') ? [name] : []
  })
  return [...byIpv4, ...byIpv6].filter((name) => name !== 'lo')
}

/** Whether systemd runs this machine and allows the agent to do it. Source: sd_booted(3), org.freedesktop.login1(5). */
async function checkPower(op: 'reboot' | 'shutdown'): Promise<void> {
  await access('/run/systemd/system').catch((cause: unknown) => {
    throw new CommandFailure('power-unavailable', { cause })
  })
  if (process.getuid?.() === 0) return
  const login = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager']
  const question = op === 'reboot' ? 'CanReboot' : 'CanPowerOff'
  const answer = await run('busctl', ['call', ...login, question], { timeout: POWER_LIMIT_MS }).catch(
    (cause: unknown) => {
      throw new CommandFailure('power-not-allowed', { cause })
    },
  )
  if (!answer.stdout.includes('"yes"')) throw new CommandFailure('power-not-allowed')
}

function createTemperatureMeter(): () => Promise<number | undefined> {
  let known: number | undefined
  let askedAtMs = -Infinity
  return async () => {
    if (performance.now() - askedAtMs < TEMPERATURE_INTERVAL_MS) return known
    askedAtMs = performance.now()
    const main = (await cpuTemperature()).main as number | null
    known = main === null || main <= 0 ? undefined : main
    return known
  }
}
