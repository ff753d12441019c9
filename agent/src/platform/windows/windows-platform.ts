import { execFile } from 'node:child_process'
import { hostname, release, uptime, version } from 'node:os'
import { promisify } from 'node:util'
import { readMarks } from '../machine-marks.ts'
import { cardOf, localAddressTowards } from '../network-card.ts'
import { createCpuMeter, diskPercent, memoryPercent } from '../portable.ts'
import type { Platform } from '../platform.ts'

const run = promisify(execFile)

export interface WindowsOptions {
  /** The disk whose filling is told is the one that holds this folder. */
  dataDir: string
}

/** Windows by what Node itself knows: the figures of systeminformation start PowerShell there. */
export function createWindowsPlatform({ dataDir }: WindowsOptions): Platform {
  const cpuPercent = createCpuMeter()
  return {
    identity: async ({ hostname: host, port }) => ({
      hostname: hostname(),
      os: `${version()} ${release()}`.slice(0, 100),
      ...cardOf(await localAddressTowards(host, Number(port) || 1)),
    }),
    marks: readMarks,
    metrics: async () => ({
      uptimeSeconds: Math.floor(uptime()),
      cpuPercent: cpuPercent(),
      memoryPercent: memoryPercent(),
      diskPercent: await diskPercent(dataDir),
    }),
    lockScreen: () => Promise.resolve(),
    unlockScreen: () => Promise.resolve(),
    cleanUp: () => Promise.resolve(),
    // Windows tells it when it is asked.
    checkPower: () => Promise.resolve(),
    reboot: async () => {
      await run('shutdown', ['/r', '/t', '0'])
    },
    shutdown: async () => {
      await run('shutdown', ['/s', '/t', '0'])
    },
    // A service lives in session 0 and cannot draw: the installer brings what opens the screen.
    openKiosk: () => Promise.reject(new Error('on Windows the installer opens the screen: use --no-kiosk')),
  }
}
