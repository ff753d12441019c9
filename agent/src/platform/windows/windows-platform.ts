import { execFile } from 'node:child_process'
import { hostname, release, uptime, version } from 'node:os'
import { promisify } from 'node:util'
import { readMarks } from '../machine-marks.ts'
import { cardOf, localAddressTowards } from '../network-card.ts'
import { createCpuMeter, diskPercent, memoryPercent } from '../portable.ts'
import type { Platform } from '../platform.ts'

const run = promisify(execFile)

export interface WindowsOptions {
  /** `diskPercent` is measured on the disk that holds this folder. */
  dataDir: string
}

/** Windows, by Node's own functions: on Windows, systeminformation starts PowerShell to read metrics. */
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
    lock: () => Promise.resolve(),
    open: () => Promise.resolve(),
    clean: () => Promise.resolve(undefined),
    // Windows reports a refusal when `shutdown` runs.
    checkPower: () => Promise.resolve(),
    reboot: async () => {
      await run('shutdown', ['/r', '/t', '0'])
    },
    shutdown: async () => {
      await run('shutdown', ['/s', '/t', '0'])
    },
    // A service runs in session 0 and cannot show windows. The installer provides what opens the screen.
    openKiosk: () => Promise.reject(new Error('on Windows the installer opens the screen: use --no-kiosk')),
  }
}
