import type { Heartbeat } from '@escale/protocol'
import type { MachineMarks } from './machine-marks.ts'

/** Live figures of the machine. Percentages 0..100. */
export type Metrics = Pick<
  Heartbeat,
  'uptimeSeconds' | 'cpuPercent' | 'memoryPercent' | 'diskPercent' | 'temperatureC'
>

/** Who the machine is: what presence and enrolment tell. */
export interface MachineIdentity {
  hostname: string
  os: string
  ipAddress: string
  macAddress: string
}

/** The browser that shows the station's screen. */
export interface Kiosk {
  close: () => void
  /** Resolves when it has ended by itself, or was closed. */
  ended: Promise<void>
  /** Why it ended; undefined while it runs. */
  endReason: () => string | undefined
}

/** Everything that differs from one operating system to the next. Each call rejects where it cannot be done. */
export interface Platform {
  /** The addresses are those of the card that reaches `server`, as of now. */
  identity: (server: URL) => Promise<MachineIdentity>
  /** What tells this machine from another that has a copy of its disk. */
  marks: () => Promise<MachineMarks>
  metrics: () => Promise<Metrics>
  /** The visitor may no longer use the desktop. */
  lockScreen: () => Promise<void>
  /** The visitor may use the desktop. */
  unlockScreen: () => Promise<void>
  /** Removes what a visitor left behind. */
  cleanUp: () => Promise<void>
  /** Rejects with a `CommandFailure` where the machine cannot be restarted, or turned off, from here. */
  checkPower: (op: 'reboot' | 'shutdown') => Promise<void>
  /** Resolve once the machine is going down. */
  reboot: () => Promise<void>
  shutdown: () => Promise<void>
  openKiosk: (url: string) => Promise<Kiosk>
}
