import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { AGENT_VERSION } from '../src/agent-version.ts'
import { BuildError } from './build-error.ts'

/** Builds the binary for a target, as `npm run build:agent` does: an unchanged one is taken as it is. Returns its path. */
export async function buildBinary(root: string, target: string): Promise<string> {
  const args = [join(root, 'agent', 'build', 'main.ts'), '--target', target]
  const build = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [code] = (await once(build, 'close')) as [number | null]
  if (code === 0) return join(root, 'agent', 'dist', 'bin', `escale-agent-${AGENT_VERSION}-${target}`)
  throw new BuildError(
    `le binaire ${target} n’a pas pu être construit (détails ci-dessus).`,
    `the binary ${target} could not be built (details above).`,
  )
}
