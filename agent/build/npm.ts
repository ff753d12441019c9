import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** By default npm waits more than a minute before it says that the network is down. */
const IMPATIENT = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=3000']
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--progress=false']

/**
 * Downloads a package's archive into a folder, or takes it from npm's own cache.
 * @throws Error with npm's output when it fails
 */
export async function npmPack(spec: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  // Inside `npm run`, the same npm is used again, by the Node that runs it.
  const script = /npm-cli\.c?js$/.test(env.npm_execpath ?? '') ? env.npm_execpath : undefined
  const args = ['pack', spec, '--pack-destination', folder, ...IMPATIENT, ...QUIET]
  if (script === undefined) await run('npm', args, { cwd: folder, env, shell: process.platform === 'win32' })
  else await run(env.npm_node_execpath ?? process.execPath, [script, ...args], { cwd: folder, env })
}
