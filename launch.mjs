#!/usr/bin/env node
/**
 * Runs every command of the README: installs what is missing, then runs the command's script with the
 * Node 24 that comes with the project. Plain JavaScript on core modules, in one file: any Node >= 18 runs
 * it before anything is installed. Why: docs/adr/0001-node-comes-with-the-project.md
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A station is there for its visitor: what the agent gives up in speed, nobody sees; it saves some 15 MB. */
const SMALL = ['--optimize-for-size', '--max-semi-space-size=2']
const COMMANDS = {
  start: { profile: 'production', pages: ['admin', 'agent'], script: 'backend/src/server.ts', isLean: true },
  agent: {
    profile: 'production',
    pages: ['agent'],
    script: 'agent/src/main.ts',
    isLean: true,
    nodeFlags: SMALL,
  },
  'build:agent': { profile: 'all', pages: ['agent'], script: 'agent/build/main.ts' },
  'build:deb': { profile: 'all', pages: ['agent'], script: 'agent/build/deb.ts' },
  demo: { profile: 'production', pages: ['admin', 'agent'], script: 'tests/demo/main.ts', isLean: true },
  job: { profile: 'production', pages: [], script: 'backend/src/cli/run-job.ts' },
  cert: { profile: 'production', pages: [], script: 'backend/src/cli/cert.ts' },
  account: { profile: 'production', pages: [], script: 'backend/src/cli/account.ts' },
  backup: { profile: 'production', pages: [], script: 'backend/src/cli/backup.ts' },
  restore: { profile: 'production', pages: [], script: 'backend/src/cli/restore.ts' },
  doctor: { profile: 'production', pages: [], script: 'backend/src/cli/doctor.ts' },
  'audit:verify': { profile: 'production', pages: [], script: 'backend/src/cli/audit-verify.ts' },
  bench: { profile: 'all', pages: ['admin', 'agent'], script: 'tests/bench/main.ts', isLean: true },
  test: { profile: 'all', pages: ['admin', 'agent'], script: 'tests/run/main.ts', args: ['test'] },
  'test:full': { profile: 'all', pages: ['admin', 'agent'], script: 'tests/run/main.ts', args: ['full'] },
  'test:soak': { profile: 'all', pages: ['agent'], script: 'tests/faults/soak.ts' },
  check: { profile: 'all', pages: [], script: 'tests/run/main.ts', args: ['check'] },
}
const PROGRESS_EVERY_MS = 10_000
/** A stop takes under 3 s: what has not ended by then is killed. */
const STOP_WITHIN_MS = 2_500
const PARENT_POLL_MS = 300
const LOCK_FORGOTTEN_MS = 30 * 60_000

const root = dirname(fileURLToPath(import.meta.url))
/**
 * The environment of a process that mostly waits: a small nursery for young objects and one pool of memory for all
 * threads save some 50 MB; where a gigabyte is the most, garbage is swept before it is as much as what is in use.
 */
const { lean } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8')).config
const modules = join(root, 'node_modules')
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'escale')
const lock = join(root, '.escale-lock')
const installStamp = join(modules, '.escale-installed')
const binding = join(modules, 'sqlite3', 'build', 'Release', 'node_sqlite3.node')
const platformPackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** The process that works for us now, if any; signals are passed on to it. */
let child
let isStopping = false
let isLockOurs = false

/** Something that the reader can mend: what failed and what to do next, in both languages. */
class LaunchError extends Error {
  constructor(french, english, output = '') {
    super(`${output}\nErreur\u00a0: ${french}\n\nError: ${english}\n`)
  }
}

const say = (text) => process.stdout.write(`${text}\n`)
const read = (path) => (fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '')
const remove = (path) => fs.rmSync(path, { recursive: true, force: true })

/** Starts a process in our own process group, never detached, and resolves when it has ended. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const started = spawn(command, args, { cwd: root, ...options })
    child = started
    if (isLockOurs) fs.writeFileSync(join(lock, 'worker'), String(started.pid ?? ''))
    options.onStart?.(started)
    started.on('error', reject)
    started.on('close', (code, signal) => {
      child = undefined
      resolve({ code, signal })
    })
  })
}

/**
 * Runs one step of an installation; while it lasts, a line every few seconds says how long it has taken, and what
 * `progress` makes of it.
 */
async function step(title, command, args, { progress = () => '', ...options } = {}) {
  say(`• ${title}`)
  const startedAt = Date.now()
  let output = ''
  const isTerminal = process.stdout.isTTY
  const alive = setInterval(
    () => {
      const seconds = Math.round((Date.now() - startedAt) / 1_000)
      process.stdout.write(
        `${isTerminal ? '\r' : ''}  … ${seconds}\u00a0s${progress()}${isTerminal ? '\u001b[K' : '\n'}`,
      )
    },
    isTerminal ? 1_000 : PROGRESS_EVERY_MS,
  )
  const keep = (chunk) => (output = (output + String(chunk)).slice(-8_000))
  const onStart = (started) => [started.stdout, started.stderr].forEach((stream) => stream.on('data', keep))
  try {
    const { code } = await run(command, args, { stdio: ['ignore', 'pipe', 'pipe'], onStart, ...options })
    return { isDone: code === 0, output }
  } catch (error) {
    return { isDone: false, output: String(error) }
  } finally {
    clearInterval(alive)
    if (isTerminal) process.stdout.write('\r\u001b[K')
    if (isStopping) process.exit(130)
  }
}

/** npm is run by the Node that runs npm already: ours disappears while the packages are replaced. */
function npm(title, args, env = process.env, progress = undefined) {
  const script = process.env.npm_execpath ?? ''
  if (!/npm-cli\.c?js$/.test(script))
    return step(title, 'npm', args, { env, progress, shell: process.platform === 'win32' })
  return step(title, process.env.npm_node_execpath ?? process.execPath, [script, ...args], { env, progress })
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => fs.existsSync(join(folder, name)))
}

/** The project's Node 24; on a platform without its package, the machine's own when it is new enough. */
function projectNode() {
  const own = join(modules, platformPackage, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (fs.existsSync(own)) return own
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  throw new LaunchError(
    `le paquet ${platformPackage} manque et le Node de cette machine (${process.version}) est trop ancien. Vérifiez la connexion et relancez, ou installez Node 24 (nodejs.org).`,
    `the package ${platformPackage} is missing and this machine’s Node (${process.version}) is too old. Check the connection and run again, or install Node 24 (nodejs.org).`,
  )
}

function isInstalled(profile) {
  const [hash, installed] = read(installStamp).split(' ')
  return hash === contentHash(['package-lock.json']) && (installed === 'all' || installed === profile)
}

async function install(profile) {
  say('Première installation ou mise à jour d’Escale · Installing or updating Escale')
  remove(installStamp)
  const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--progress=false']
  const { isDone, output } = await npm(
    'Paquets npm (une à deux minutes) · npm packages (one or two minutes)',
    ['ci', '--ignore-scripts', profile === 'all' ? '--include=dev' : '--omit=dev', ...flags],
  )
  if (!isDone)
    throw new LaunchError(
      'npm n’a pas pu installer les paquets. Vérifiez la connexion et la place sur le disque, puis relancez la même commande.',
      'npm could not install the packages. Check the connection and the free disk space, then run the same command again.',
      output,
    )
  await installDatabaseDriver(projectNode())
  fs.writeFileSync(installStamp, `${contentHash(['package-lock.json'])} ${profile}`)
}

/** Puts sqlite3's compiled part in place: from the user's cache, else prebuilt, else compiled here. */
async function installDatabaseDriver(node) {
  const { version } = JSON.parse(read(join(modules, 'sqlite3', 'package.json')))
  const abi = await step('Node 24', node, ['-p', 'process.versions.modules'])
  const name = `sqlite3-${version}-${process.platform}-${process.arch}-abi${abi.output.trim()}.node`
  const cached = join(cache, name)
  const works = async (title) => (await step(title, node, ['-e', "require('sqlite3')"])).isDone
  if (fs.existsSync(cached)) {
    copyWhole(cached, binding)
    if (await works('SQLite, compilé auparavant · SQLite, compiled before')) return
  }
  const env = { ...process.env, JOBS: 'max' }
  if (node.startsWith(modules)) env.npm_config_nodedir = join(modules, platformPackage)
  const build = () =>
    npm(
      'SQLite, compilé une seule fois (quelques minutes, selon la machine) · SQLite, compiled once (some minutes, as the machine is)',
      ['rebuild', 'sqlite3', '--foreground-scripts', '--ignore-scripts=false'],
      env,
      compiled,
    )
  let built = await build()
  if (!built.isDone && (await installCompiler())) built = await build()
  if (!built.isDone || !(await works('Vérification · Checking')))
    throw new LaunchError(
      'SQLite n’a pas pu être compilé (détails ci-dessus). Relancez la même commande\u202f; si l’échec se répète, signalez-le avec ces lignes.',
      'SQLite could not be compiled (details above). Run the same command again; if it fails again, report it with these lines.',
      built.output,
    )
  try {
    copyWhole(binding, cached)
  } catch {
    say('  (cache indisponible, sans gravité · cache not writable, which is harmless)')
  }
}

/** How far the compiler is: SQLite itself is one file, by far the longest. */
function compiled() {
  const folder = join(modules, 'sqlite3', 'build', 'Release')
  if (!fs.existsSync(folder)) return ', préparation · preparing'
  const objects = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.o'))
  const isMainDone = objects.some((name) => /sqlite3\.o$/.test(name) && !/node_sqlite3\.o$/.test(name))
  const main = isMainDone ? 'sqlite3.c fini · done' : 'sqlite3.c, le plus long · the longest'
  return `, ${objects.length} fichiers compilés · files compiled (${main})`
}

/** @returns whether the compiler was missing and is there now. */
async function installCompiler() {
  const missing = ['python3', 'make', 'g++'].filter((name) => !isOnPath(name))
  if (missing.length === 0) return false
  const packages = missing.join(' ')
  if (process.getuid?.() === 0 && isOnPath('apt-get')) {
    const script = `apt-get update -q && apt-get install -y -q --no-install-recommends ${packages}`
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    if ((await step(`Compilateur · Compiler (${packages})`, 'sh', ['-c', script], { env })).isDone)
      return true
  }
  throw new LaunchError(
    `il manque de quoi compiler SQLite (${packages}). Sous Debian ou Ubuntu\u00a0: sudo apt-get install python3 make g++. Puis relancez la même commande.`,
    `what compiles SQLite is missing (${packages}). On Debian or Ubuntu: sudo apt-get install python3 make g++. Then run the same command again.`,
  )
}

/** Copies beside the target, then renames: nobody ever sees half a file. */
function copyWhole(from, to) {
  const fresh = `${to}.${process.pid}`
  fs.mkdirSync(dirname(to), { recursive: true })
  fs.copyFileSync(from, fresh)
  fs.renameSync(fresh, to)
}

/** SHA-256 over names and contents below the given paths, built and installed folders aside. */
function contentHash(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    if (!fs.existsSync(path) || /[\\/](node_modules|dist)$|\.test\.ts$/.test(path)) return
    if (fs.statSync(path).isDirectory())
      for (const name of fs.readdirSync(path).sort()) visit(join(path, name))
    else hash.update(path.slice(root.length)).update(fs.readFileSync(path))
  }
  for (const path of paths) visit(join(root, path))
  return hash.digest('hex')
}

const buildStamp = (page) => join(root, page, 'dist', '.escale-built')
const sourcesHash = (page) => {
  const sources = page === 'agent' ? ['agent/screen', 'agent/vite.config.ts'] : [page]
  return contentHash([...sources, 'protocol/src', 'package-lock.json'])
}
const isBuilt = (page) => read(buildStamp(page)) === sourcesHash(page)

async function build(page) {
  remove(buildStamp(page))
  const vite = [join(modules, 'vite', 'bin', 'vite.js'), 'build']
  const title = `Pages (${page})`
  const { isDone, output } = await step(title, projectNode(), vite, { cwd: join(root, page) })
  if (!isDone)
    throw new LaunchError(
      `les pages de ${page} n’ont pas pu être construites (détails ci-dessus). Si vous les avez modifiées, corrigez-les puis relancez.`,
      `the pages of ${page} could not be built (details above). If you changed them, mend them and run again.`,
      output,
    )
  fs.writeFileSync(buildStamp(page), sourcesHash(page))
}

async function prepare({ profile, pages }) {
  const isReady = () => isInstalled(profile) && pages.every(isBuilt)
  if (isReady()) return
  await takeLock()
  process.on('exit', releaseLock)
  if (!isInstalled(profile)) await install(profile)
  for (const page of pages) if (!isBuilt(page)) await build(page)
  releaseLock()
}

function releaseLock() {
  if (isLockOurs) remove(lock)
  isLockOurs = false
}

/** Two installations in one folder would undo each other: the second waits, or inherits from a dead one. */
async function takeLock() {
  for (let waits = 0; !isLockOurs; waits += 1) {
    try {
      fs.mkdirSync(lock)
      fs.writeFileSync(join(lock, 'owner'), String(process.pid))
      // Someone who judged the former lock forgotten may just have removed ours: look again.
      await delay(100)
      isLockOurs = read(join(lock, 'owner')) === String(process.pid)
      continue
    } catch (error) {
      if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
    }
    const pids = ['owner', 'worker'].map((name) => Number(read(join(lock, name)))).filter((pid) => pid > 0)
    const ageMs = Date.now() - (fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if ((ageMs > PROGRESS_EVERY_MS && !pids.some(isAlive)) || ageMs > LOCK_FORGOTTEN_MS) remove(lock)
    else if (waits % 10 === 0) say('Une autre installation est en cours… · Another installation is running…')
    await delay(500)
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Ctrl-C reaches the whole group and may come twice; a signal to us alone is passed on. */
function stop(signal) {
  if (!child) process.exit(130)
  child.kill(signal)
  if (isStopping) return
  isStopping = true
  setTimeout(() => child?.kill('SIGKILL'), STOP_WITHIN_MS).unref()
}

/** The parent's pid, and npm's where a shell stands between npm and us. */
function ancestors() {
  const [, name, parent] = /\((\w+)\) \w (\d+)/.exec(read(`/proc/${process.ppid}/stat`)) ?? []
  const isShell = process.env.npm_lifecycle_event && /^(sh|dash|bash)$/.test(name ?? '')
  return isShell ? `${process.ppid} ${parent}` : String(process.ppid)
}

/**
 * Flags that hold a secret, as the variables that the agent reads instead: every user of the machine may read the
 * arguments of a process, and its title overwrites ours. Those of npm above us cannot be taken back.
 */
function hideSecrets(args) {
  const secrets = {}
  const shown = []
  for (let i = 0; i < args.length; i += 1) {
    const [, flag, value] = /^--(enrolment-key|mqtt-secret)(?:=(.*))?$/s.exec(args[i]) ?? []
    if (flag) secrets[`ESCALE_AGENT_${flag.toUpperCase().replace('-', '_')}`] = value ?? args[(i += 1)] ?? ''
    else shown.push(args[i])
  }
  if (shown.length === args.length) return { shown, secrets }
  process.title = 'escale'
  if (process.env.npm_lifecycle_event)
    process.stderr.write(
      'npm montre cette clé à tous les utilisateurs de la machine\u00a0: donnez plutôt --enrolment-key-file FICHIER.\n' +
        'npm shows this key to every user of the machine: give --enrolment-key-file FILE instead.\n',
    )
  return { shown, secrets }
}

async function main([name = 'start', ...given]) {
  const command = COMMANDS[name]
  const { shown: rest, secrets } = name === 'agent' ? hideSecrets(given) : { shown: given, secrets: {} }
  if (!command) throw new LaunchError(`commande inconnue (${name}).`, `unknown command (${name}).`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal))
  const started = ancestors()
  const watch = setInterval(() => {
    if (ancestors() === started) return
    clearInterval(watch)
    stop('SIGTERM')
  }, PARENT_POLL_MS)
  watch.unref()

  await prepare(command)
  const node = projectNode()
  const env = { ...process.env, ...secrets, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  env.NODE_COMPILE_CACHE ??= join(cache, 'compile')
  if (command.isLean) {
    env.NODE_OPTIONS = `${lean.NODE_OPTIONS} ${process.env.NODE_OPTIONS ?? ''}`.trim()
    env.MALLOC_ARENA_MAX ??= lean.MALLOC_ARENA_MAX
  }
  // The channel closes however we end, kill -9 included: the child then ends too.
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc']
  const { nodeFlags = [], script, args: ownArgs = [] } = command
  const args = [...nodeFlags, join(root, script), ...ownArgs, ...rest]
  const { code } = await run(node, args, { env, stdio })
  process.exit(code ?? (isStopping ? 130 : 1))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(error instanceof LaunchError ? error.message : `${error.stack}\n`)
  process.exitCode = 1
}
