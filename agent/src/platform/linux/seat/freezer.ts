import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const LOOK_AGAIN_MS = 20
const LIMIT_MS = 5_000

/** Stops the processes of a control group, and lets them run again. They can be killed while they are stopped. */
export interface Freezer {
  freeze: (signal: AbortSignal) => Promise<void>
  thaw: (signal: AbortSignal) => Promise<void>
}

/**
 * `folder` is that of the group (version 2). A group that does not exist has no processes. Source:
 * https://docs.kernel.org/admin-guide/cgroup-v2.html, cgroup.freeze and cgroup.events.
 */
export function createFreezer(folder: string): Freezer {
  const turn = async (isFrozen: boolean, signal: AbortSignal): Promise<void> => {
    const wanted = isFrozen ? '1' : '0'
    const limitMs = performance.now() + LIMIT_MS
    await writeFile(join(folder, 'cgroup.freeze'), wanted, { flag: 'r+' }).catch(unlessGone)
    for (;;) {
      signal.throwIfAborted()
      const events = await readFile(join(folder, 'cgroup.events'), 'utf8').catch(unlessGone)
      if (events === undefined || /^frozen (\d)$/m.exec(events)?.[1] === wanted) return
      if (performance.now() > limitMs) {
        throw new Error(`the processes of ${folder} ${isFrozen ? 'do not stop' : 'stay stopped'}`)
      }
      await wait(LOOK_AGAIN_MS, undefined, { signal })
    }
  }

  return { freeze: (signal) => turn(true, signal), thaw: (signal) => turn(false, signal) }
}

/** The group disappears with its last process. */
function unlessGone(err: unknown): undefined {
  if (!['ENOENT', 'ENODEV'].includes((err as NodeJS.ErrnoException).code ?? '')) throw err
}
