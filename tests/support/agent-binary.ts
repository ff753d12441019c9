import { TARGETS, isForThisMachine } from '../../agent/build/targets.ts'
import { spawned } from './spawned.ts'

/** The first build downloads Node if npm has not kept it. */
const BUILD_LIMIT_MS = 300_000

export interface Binary {
  path: string
  sha256: string
}

/** The target that this machine can run, if there is one. */
export const ownTarget = TARGETS.find(isForThisMachine)

/** Builds the agent's binary for this target. In its usual folder it is built only if something has changed. */
export async function buildAgent(target: string, outDir?: string): Promise<Binary> {
  const place = outDir === undefined ? [] : ['--out-dir', outDir]
  const build = spawned(process.execPath, ['agent/build/main.ts', '--target', target, ...place])
  const [, path = '', sha256 = ''] = await build.waitFor(
    /^(\S+) {2}[\d.]+ MB {2}([0-9a-f]{64})$/m,
    BUILD_LIMIT_MS,
  )
  await build.ended
  return { path, sha256 }
}
