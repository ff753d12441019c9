/**
 * Builds the agent as one file for each system, with Node inside. Why and how: docs/agent-binary.md
 */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { AGENT_VERSION } from '../src/agent-version.ts'
import { fetchBase, hasBase, pinnedBase } from './bases.ts'
import { BuildError } from './build-error.ts'
import { bundleAgent } from './bundle.ts'
import { inputsHash, screenAssets } from './inputs.ts'
import { findOutput, keepOutput, type Output } from './outputs.ts'
import { packBinary } from './pack.ts'
import { say, secondsSince, step } from './progress.ts'
import { MB_PER_BINARY, noSpace, requireSpace } from './space.ts'
import { TARGETS, type Target } from './targets.ts'
import { describeWindowsFile } from './windows-file.ts'

const root = join(import.meta.dirname, '..', '..')
/** The same cache folder as in launch.mjs. */
const home = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'escale', 'agent-build')
const BUNDLE = 'agent.cjs'

/** @throws BuildError for an unknown option or target */
function readArguments(args: string[]) {
  const names = TARGETS.map(({ name }) => name)
  try {
    const { values } = parseArgs({
      args,
      options: { target: { type: 'string', multiple: true }, 'out-dir': { type: 'string' } },
    })
    const unknown = values.target?.find((name) => !names.includes(name))
    if (unknown !== undefined) throw new Error(`--target ${unknown}`)
    const targets = TARGETS.filter(({ name }) => values.target?.includes(name) ?? true)
    return { targets, outDir: values['out-dir'] ?? join(root, 'agent', 'dist', 'bin') }
  } catch (err) {
    throw new BuildError(
      `option inconnue (${(err as Error).message}). Les options\u00a0: --target ${names.join('|')}, --out-dir DOSSIER.`,
      `unknown option (details above). The options: --target ${names.join('|')}, --out-dir FOLDER.`,
    )
  }
}

/** Node's blob can be read only by the Node version that made it. */
function requireNode(version: string) {
  if (process.versions.node === version) return
  throw new BuildError(
    `il faut Node ${version}, et non ${process.version}\u00a0: lancez «\u202fnpm run build:agent\u202f» sous Linux ou Windows, où le projet apporte le sien.`,
    `Node ${version} is needed, not ${process.version}: run "npm run build:agent" on Linux or Windows, where the project brings its own.`,
  )
}

async function build(target: Target, outDir: string, workDir: string): Promise<Output> {
  const assets = screenAssets(root)
  const base = await pinnedBase(root, target)
  requireNode(base.version)
  const path = join(outDir, `escale-agent-${AGENT_VERSION}-${target.name}${target.extension}`)
  const inputs = await inputsHash(root, target, join(workDir, BUNDLE), assets, base)
  const kept = await findOutput(path, inputs)
  if (kept !== undefined) {
    say(`• ${target.name}\u00a0: inchangé · unchanged`)
    return kept
  }
  await requireSpace(home, MB_PER_BINARY)
  await requireSpace(outDir, MB_PER_BINARY)
  if (!(await hasBase(home, target, base)))
    await step(`Node ${base.version} (npm, ${target.nodePackage})`, () =>
      fetchBase(home, target, base, process.env),
    )
  return step(`${target.name} (pkg)`, async () => {
    const packed = join(workDir, target.name)
    const options = { home, workDir, bundleName: BUNDLE, assets, nodeVersion: base.version, env: process.env }
    await packBinary(target, packed, options)
    if (target.platform === 'win') await describeWindowsFile(packed, AGENT_VERSION)
    const output = await keepOutput(packed, path, inputs)
    await rm(packed)
    return output
  })
}

async function main(args: string[]): Promise<void> {
  const startedAt = performance.now()
  const { targets, outDir } = readArguments(args)
  await mkdir(home, { recursive: true })
  const workDir = await mkdtemp(join(home, 'work-'))
  process.on('exit', () => rmSync(workDir, { recursive: true, force: true }))
  await step('Programme en un fichier · Program in one file (esbuild)', () =>
    bundleAgent(root, join(workDir, BUNDLE)),
  )
  const outputs: Output[] = []
  for (const target of targets) outputs.push(await build(target, outDir, workDir))
  for (const { path, bytes, sha256 } of outputs)
    say(`${relative(process.cwd(), path)}  ${(bytes / 1e6).toFixed(1)} MB  ${sha256}`)
  say(`${secondsSince(startedAt)} s`)
}

// When the launcher ends, its channel closes.
const end = () => process.exit(130)
process.on('disconnect', end).on('SIGINT', end).on('SIGTERM', end)
main(process.argv.slice(2)).then(
  () => process.exit(0),
  (err: unknown) => {
    const known = (err as NodeJS.ErrnoException).code === 'ENOSPC' ? noSpace(home) : err
    process.stderr.write(
      `\n${known instanceof BuildError ? known.message : String((known as Error).stack)}\n`,
    )
    process.exit(1)
  },
)
