const ALIVE_EVERY_MS = 10_000

export const say = (line: string) => process.stdout.write(`${line}\n`)

export const secondsSince = (startedAt: number) => ((performance.now() - startedAt) / 1_000).toFixed(1)

/** Runs one step of the build: prints its title, a line every ten seconds while it lasts, and its time at the end. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  say(`• ${title}`)
  const startedAt = performance.now()
  const alive = setInterval(() => say(`  … ${secondsSince(startedAt)} s`), ALIVE_EVERY_MS)
  try {
    const result = await work()
    say(`  ✓ ${secondsSince(startedAt)} s`)
    return result
  } finally {
    clearInterval(alive)
  }
}
