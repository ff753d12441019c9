import type { CleanedDetails, Heartbeat } from '@escale/protocol'
import type { MachineMarks } from './machine-marks.ts'

/** Live metrics of the machine. Percentages are 0..100. */
export type Metrics = Pick<
  Heartbeat,
  'uptimeSeconds' | 'cpuPercent' | 'memoryPercent' | 'diskPercent' | 'temperatureC'
>

/** What presence and enrolment report about the machine. */
export interface MachineIdentity {
  hostname: string
  os: string
  ipAddress: string
  macAddress: string
}

/** The browser that shows the station's screen. */
export interface Kiosk {
  close: () => void
  /** Resolves when the browser has ended or was closed. */
  ended: Promise<void>
  /** Why it ended; undefined while it runs. */
  endReason: () => string | undefined
}

/** Everything that depends on the operating system. A call rejects if the operation fails or is not possible. */
export interface Platform {
  /** The addresses are those of the card that currently reaches `server`. */
  identity: (server: URL) => Promise<MachineIdentity>
  /** Identifiers that distinguish this machine from another with a copy of its disk. */
  marks: () => Promise<MachineMarks>
  metrics: () => Promise<Metrics>
  /**
   * The acts at the seat. Each resolves once its result is proven, and gives up when the signal aborts. After `lock`,
   * no visitor can use the machine. After `open`, the visitor of this session can. `clean` removes what the visitor left
   * behind, looks whether it is gone, and says what was found; undefined where nothing is looked for.
   */
  lock: (signal: AbortSignal) => Promise<void>
  open: (signal: AbortSignal, sessionId: string) => Promise<void>
  clean: (signal: AbortSignal) => Promise<CleanedDetails | undefined>
  /** Rejects with a `CommandFailure` if the agent cannot reboot or shut down the machine. */
  checkPower: (op: 'reboot' | 'shutdown') => Promise<void>
  /** `reboot` and `shutdown` resolve when the machine has begun to go down. */
  reboot: () => Promise<void>
  shutdown: () => Promise<void>
  openKiosk: (url: string) => Promise<Kiosk>
}
