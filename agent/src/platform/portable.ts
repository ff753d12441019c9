import { cpus, freemem, totalmem } from 'node:os'
import { statfs } from 'node:fs/promises'

/** Share in percent, with one decimal, limited to 0..100. */
export function percentOf(part: number, whole: number): number {
  if (whole <= 0) return 0
  return Math.round(Math.min(100, Math.max(0, (part / whole) * 100)) * 10) / 10
}

export function memoryPercent(): number {
  return percentOf(totalmem() - freemem(), totalmem())
}

/** How full the file system of `path` is. */
export async function diskPercent(path: string): Promise<number> {
  const { blocks, bavail, bfree } = await statfs(path)
  return percentOf(blocks - bfree, blocks - bfree + bavail)
}

/** Measures the load of all processors between two calls; the first call measures from the creation on. */
export function createCpuMeter(): () => number {
  const totals = () => {
    const times = cpus().map(({ times: t }) => t)
    const idle = times.reduce((sum, t) => sum + t.idle, 0)
    return { idle, all: times.reduce((sum, t) => sum + t.idle + t.user + t.nice + t.sys + t.irq, 0) }
  }
  let last = totals()
  return () => {
    const now = totals()
    const all = now.all - last.all
    const busy = all - (now.idle - last.idle)
    last = now
    return percentOf(busy, all)
  }
}
