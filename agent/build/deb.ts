/**
 * Builds the agent's Debian package from its binary. How to use it: docs/agent-debian.md
 */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { AGENT_VERSION } from '../src/agent-version.ts'
import { sha256Of } from './bases.ts'
import { BuildError } from './build-error.ts'
import { buildBinary } from './deb-binary.ts'
import { layOut } from './deb-tree.ts'
import { say, step } from './progress.ts'

const root = join(import.meta.dirname, '..', '..')

/** Debian's name of an architecture, by ours. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' } as const
type Arch = keyof typeof ARCHITECTURES
const isArch = (name: string): name is Arch => name in ARCHITECTURES

/** Without SOURCE_DATE_EPOCH every file has this date (1980-01-01), so that the same inputs always give the same bytes. */
const DEFAULT_EPOCH = '315532800'

/** @throws BuildError for an unknown option or architecture */
function readArguments(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        arch: { type: 'string', default: process.arch },
        binary: { type: 'string' },
        'out-dir': { type: 'string', default: join(root, 'agent', 'dist', 'deb') },
      },
    })
    const { arch, binary } = values
    if (!isArch(arch)) throw new Error(`--arch ${arch}`)
    return { arch, binary, outDir: values['out-dir'] }
  } catch (err) {
    const options = `--arch ${Object.keys(ARCHITECTURES).join('|')}, --binary`
    throw new BuildError(
      `option inconnue (${String(err)}). Les options\u00a0: ${options} FICHIER, --out-dir DOSSIER.`,
      `unknown option (details above). The options: ${options} FILE, --out-dir FOLDER.`,
    )
  }
}

/** @throws BuildError when SOURCE_DATE_EPOCH is not a time */
function epochFrom(env: NodeJS.ProcessEnv): number {
  const given = env.SOURCE_DATE_EPOCH || DEFAULT_EPOCH
  if (/^\d{1,10}$/.test(given)) return Number(given)
  throw new BuildError(
    `SOURCE_DATE_EPOCH attend des secondes depuis 1970, et non ${given}.`,
    `SOURCE_DATE_EPOCH wants seconds since 1970, not ${given}.`,
  )
}

/** Packs a tree. Root owns all files, and one thread compresses them, so that every machine makes the same bytes. */
async function pack(tree: string, path: string, epoch: number): Promise<void> {
  const args = ['--root-owner-group', '-Zzstd', '-z9', '--threads-max=1', '--build', tree, path]
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), LC_ALL: 'C' }
  await promisify(execFile)('dpkg-deb', args, { env }).catch((err: unknown) => {
    throw new BuildError(
      `dpkg-deb n’a pas pu faire le paquet (${String(err)}). Il faut Debian ou Ubuntu, et de la place dans ${tmpdir()}.`,
      `dpkg-deb could not make the package (details above). Debian or Ubuntu is needed, and space in ${tmpdir()}.`,
      { cause: err },
    )
  })
}

async function main(args: string[]): Promise<void> {
  // The modes in the package must not depend on who builds it.
  process.umask(0o022)
  const { arch, binary, outDir } = readArguments(args)
  const epoch = epochFrom(process.env)
  const program = binary ?? (await buildBinary(root, `linux-${arch}`))
  const tree = await mkdtemp(join(tmpdir(), 'escale-deb-'))
  process.on('exit', () => rmSync(tree, { recursive: true, force: true }))
  await layOut({ root, tree, program, architecture: ARCHITECTURES[arch], version: AGENT_VERSION, epoch })
  await mkdir(outDir, { recursive: true })
  const path = join(outDir, `escale-agent_${AGENT_VERSION}_${ARCHITECTURES[arch]}.deb`)
  await step('Paquet Debian · Debian package (dpkg-deb)', () => pack(tree, path, epoch))
  say(`${relative(process.cwd(), path)}  ${await sha256Of(path)}`)
}

const end = () => process.exit(130)
process.on('disconnect', end).on('SIGINT', end).on('SIGTERM', end)
main(process.argv.slice(2)).then(
  () => process.exit(0),
  (err: unknown) => {
    process.stderr.write(`\n${err instanceof BuildError ? err.message : String((err as Error).stack)}\n`)
    process.exit(1)
  },
)
