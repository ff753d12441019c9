import type { MachineIdentity, Metrics, Platform } from '../platform.ts'

export interface SimulatedOptions {
  /** The same seed gives the same metrics. */
  seed: number
  identity?: Partial<MachineIdentity>
}

/** The requested operations, oldest first. None of them is performed. */
export interface SimulatedPlatform extends Platform {
  done: readonly string[]
}

/** A simulated machine with plausible metrics, for demonstrations and tests. */
export function createSimulatedPlatform({ seed, identity = {} }: SimulatedOptions): SimulatedPlatform {
  const random = createRandom(seed)
  const done: string[] = []
  const bootedAtMs = performance.now() - random() * 4 * 3_600_000
  const cpu = createWalk(random, 3, 70, 12)
  const memory = createWalk(random, 25, 80, 48)
  const temperature = createWalk(random, 36, 68, 44)
  const disk = 30 + Math.round(random() * 300) / 10
  const act = (name: string) => () => {
    done.push(name)
    return Promise.resolve()
  }
  const pair = () => Math.floor(random() * 256)
  const macAddress = ['02', ...Array.from({ length: 5 }, () => pair().toString(16).padStart(2, '0'))].join(
    ':',
  )
  const machine: MachineIdentity = {
    hostname: `poste-${seed}`,
    os: 'Debian GNU/Linux 12',
    ipAddress: `192.0.2.${(seed % 250) + 2}`,
    macAddress,
    ...identity,
  }
  return {
    done,
    identity: () => Promise.resolve(machine),
    marks: () => Promise.resolve({ macs: [machine.macAddress] }),
    metrics: (): Promise<Metrics> =>
      Promise.resolve({
        uptimeSeconds: Math.floor((performance.now() - bootedAtMs) / 1_000),
        cpuPercent: cpu(),
        memoryPercent: memory(),
        diskPercent: disk,
        temperatureC: temperature(),
      }),
    lock: act('lock'),
    open: act('open'),
    clean: () => act('clean')().then(() => undefined),
    checkPower: () => Promise.resolve(),
    reboot: act('reboot'),
    shutdown: act('shutdown'),
    openKiosk: () =>
      Promise.resolve({
        close: () => undefined,
        ended: new Promise<void>(() => undefined),
        endReason: () => undefined,
      }),
  }
}

/** A value that steps up and down at random between two bounds, one decimal. */
function createWalk(random: () => number, low: number, high: number, start: number): () => number {
  let value = start
  return () => {
    const pull = (start - value) * 0.1
    value = Math.min(high, Math.max(low, value + pull + (random() - 0.5) * (high - low) * 0.2))
    return Math.round(value * 10) / 10
  }
}

/** Source: Mulberry32, a public-domain 32-bit generator; not for secrets. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
