import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Logger } from 'pino'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { Ack, Command, Desired, Enrolled, SiteConfig, StationEvent } from '@escale/protocol'
import type { Snapshot } from './core/index.ts'
import type { RememberedCommand } from './link/commands.ts'
import { Trust } from './link/trust.ts'

const Identity = Type.Object({
  ...Enrolled.properties,
  server: Type.String(),
  /** The machine that it was given to. Earlier agents did not save it. */
  machine: Type.Optional(
    Type.Object({
      system: Type.Optional(Type.String()),
      hardware: Type.Optional(Type.String()),
      macs: Type.Array(Type.String()),
      givenMac: Type.Optional(Type.String()),
    }),
  ),
})
/** The station's identity, and the server that issued it. */
export type Identity = Static<typeof Identity>

/** Unix ms that a `Date` can hold. A larger number is damaged or forged. */
const UnixMs = Type.Number({ minimum: 0, maximum: 8.64e15 })
const DurationMs = Type.Number({ minimum: 0, maximum: 3.2e10 })

const SavedSession = Type.Object({
  sessionId: Type.String(),
  displayName: Type.String(),
  grantedSeconds: Type.Integer({ minimum: 0, maximum: 3.2e7 }),
  remainingMs: DurationMs,
  armed: Type.Array(Type.Number()),
  closesAt: Type.Optional(Type.String()),
})
const SavedState = Type.Object({
  stationId: Type.String(),
  label: Type.Optional(Type.String()),
  version: Desired.properties.version,
  rest: Type.Union([
    Type.Object({ kind: Type.Literal('locked') }),
    Type.Object({ kind: Type.Literal('maintenance') }),
    Type.Object({
      kind: Type.Literal('active'),
      session: SavedSession,
      endsAtUnixMs: Type.Optional(UnixMs),
    }),
    Type.Object({ kind: Type.Literal('suspended'), session: SavedSession, suspendLeftMs: DurationMs }),
  ]),
  isCleaning: Type.Optional(Type.Boolean()),
  admittedSessionId: Type.Optional(Type.String()),
  endedSessionIds: Type.Array(Type.String()),
  events: Type.Array(
    Type.Object({
      bootId: StationEvent.properties.bootId,
      seq: StationEvent.properties.seq,
      kind: StationEvent.properties.kind,
      details: StationEvent.properties.details,
      atUnixMs: UnixMs,
      isApproximate: Type.Boolean(),
    }),
  ),
  config: SiteConfig,
})

const SavedCommands = Type.Array(
  Type.Object({
    id: Command.properties.id,
    op: Command.properties.op,
    toldAtUptimeSeconds: Type.Optional(Type.Number()),
    outcome: Type.Optional(
      Type.Object({
        status: Type.Union([Type.Literal('applied'), Type.Literal('failed'), Type.Literal('expired')]),
        error: Ack.properties.error,
      }),
    ),
  }),
)

const identityCheck = Compile(Identity)
const trustCheck = Compile(Trust)
const stateCheck = Compile(SavedState)
const commandsCheck = Compile(SavedCommands)

/** What is saved across restarts of the agent. Reading gives undefined if there is nothing, or nothing usable. */
export interface Store {
  readIdentity: () => Promise<Identity | undefined>
  writeIdentity: (identity: Identity) => Promise<void>
  forgetIdentity: () => Promise<void>
  readTrust: () => Promise<Trust | undefined>
  writeTrust: (trust: Trust) => Promise<void>
  readState: () => Promise<Snapshot | undefined>
  /** Writes are queued; of those that wait only the newest is written. */
  writeState: (snapshot: Snapshot) => Promise<void>
  /** The received commands, oldest first; empty if there is nothing usable. */
  readCommands: () => Promise<readonly RememberedCommand[]>
  /** Names of the files that were found unusable, and were kept under another name. */
  damaged: () => readonly string[]
  writeCommands: (commands: readonly RememberedCommand[]) => Promise<void>
}

/** The log for files that cannot be used. */
export type StoreLog = Pick<Logger, 'warn'>

/** Files in the agent's data folder. Only its user can read them, and each write replaces the whole file. */
export function createFileStore(dataDir: string, log?: StoreLog): Store {
  const identityPath = join(dataDir, 'identity.json')
  const writeState = createNewestWriter<Snapshot>(dataDir, join(dataDir, 'state.json'))
  const writeCommands = createNewestWriter<readonly RememberedCommand[]>(
    dataDir,
    join(dataDir, 'commands.json'),
  )
  const trustPath = join(dataDir, 'trust.json')
  const damaged = new Set<string>()

  /** The content of a file; undefined if there is none, or none that can be used. */
  async function readUsable<T>(path: string, check: { Check(value: unknown): value is T }) {
    let reason: unknown = 'the content does not have the expected form'
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'))
      if (check.Check(value)) return value
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      reason = err
    }
    damaged.add(basename(path))
    log?.warn(
      { path, reason },
      'this file cannot be used, it is kept aside and the agent continues without it',
    )
    await rename(path, `${path}.damaged`).catch((err: unknown) =>
      log?.warn({ path, err }, 'this file cannot be kept aside'),
    )
    return undefined
  }

  return {
    damaged: () => [...damaged],
    readIdentity: () => readUsable(identityPath, identityCheck),
    writeIdentity: (identity) => replaceFile(dataDir, identityPath, identity),
    forgetIdentity: () => rm(identityPath, { force: true }),
    readTrust: () => readUsable(trustPath, trustCheck),
    writeTrust: (trust) => replaceFile(dataDir, trustPath, trust),
    readState: () => readUsable(join(dataDir, 'state.json'), stateCheck),
    writeState,
    readCommands: async () => (await readUsable(join(dataDir, 'commands.json'), commandsCheck)) ?? [],
    writeCommands,
  }
}

/** Writes one value at a time. Of those that wait only the newest is written, which completes all of them. */
function createNewestWriter<T>(dataDir: string, path: string): (value: T) => Promise<void> {
  let waiting: { value: T } | undefined
  let writing: Promise<void> | undefined
  const drain = async () => {
    while (waiting !== undefined) {
      const { value } = waiting
      waiting = undefined
      await replaceFile(dataDir, path, value)
    }
  }
  return (value) => {
    waiting = { value }
    writing ??= drain().finally(() => {
      writing = undefined
    })
    return writing
  }
}

/** For a diskless station, and for simulated stations. */
export function createMemoryStore(): Store {
  let identity: Identity | undefined
  let trust: Trust | undefined
  let state: Snapshot | undefined
  let taken: readonly RememberedCommand[] = []
  return {
    damaged: () => [],
    readIdentity: () => Promise.resolve(identity),
    writeIdentity: (next) => {
      identity = next
      return Promise.resolve()
    },
    forgetIdentity: () => {
      identity = undefined
      return Promise.resolve()
    },
    readTrust: () => Promise.resolve(trust),
    writeTrust: (next) => {
      trust = next
      return Promise.resolve()
    },
    readState: () => Promise.resolve(state),
    writeState: (next) => {
      state = next
      return Promise.resolve()
    },
    readCommands: () => Promise.resolve(taken),
    writeCommands: (commands) => {
      taken = commands
      return Promise.resolve()
    },
  }
}

/** Replaces a file atomically: after a power cut there is the old file or the new one, never a part. */
async function replaceFile(dataDir: string, path: string, value: unknown): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(value))
    await file.sync()
  } finally {
    await file.close()
  }
  // open() applies the mode only to new files.
  await chmod(draft, 0o600)
  await rename(draft, path)
}
