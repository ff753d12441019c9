import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SAVE_INTERVAL_MS } from '../../agent/src/core/deadlines.ts'
import { restOf } from '../../agent/src/core/index.ts'
import { createWorld, type World } from './two-cores.ts'

const RUNS = 10_000
const HOUR_MS = 3_600_000
/** Rounding of instants to milliseconds, once on each side. */
const ROUNDING_MS = 5

interface Model {
  /** The remaining time at the last check, with its session and the version of the document. */
  left: { version: number; sessionId: string; ms: number } | undefined
}

/** One possible event, and by how much it may increase the shown time. */
const command = (name: string, run: (world: World) => void, slackMs = 0): fc.Command<Model, World> => ({
  check: () => true,
  toString: () => name,
  run(model, world) {
    run(world)
    requireNoGrowth(model, world, slackMs)
  },
})

function requireNoGrowth(model: Model, world: World, slackMs: number): void {
  const { version, phase } = world.station()
  const rest = restOf(phase)
  const ms = world.leftAtStationMs()
  const before = model.left
  model.left =
    rest?.kind === 'active' && ms !== undefined ? { version, sessionId: rest.lease.sessionId, ms } : undefined
  if (!before || !model.left || before.sessionId !== model.left.sessionId) return
  if (model.left.version > before.version) return
  expect(model.left.ms).toBeLessThanOrEqual(before.ms + slackMs)
}

const swap = <T>(queue: T[]) => {
  const first = queue.shift()
  if (first !== undefined) queue.splice(1, 0, first)
}
const duplicate = <T>(queue: T[]) => {
  const [first] = queue
  if (first !== undefined) queue.unshift(first)
}

const always = (name: string, run: (world: World) => void, slackMs = 0) =>
  fc.constant(command(name, run, slackMs))
const deliver = always('deliver to station', (world) => world.deliverToStation())
const answer = always('deliver to server', (world) => world.deliverToServer())

const eventArbitraries = [
  deliver,
  deliver,
  deliver,
  answer,
  answer,
  fc.nat(90_000).map((ms) => command(`${ms} ms pass`, (world) => world.pass(ms))),
  fc.constant(command('an hour passes', (world) => world.pass(HOUR_MS))),
  fc.integer({ min: 1, max: 900 }).map((s) => command(`start ${s} s`, (world) => world.start(s))),
  fc
    .integer({ min: -600, max: 600 })
    .map((seconds) => command(`grant ${seconds} s`, (world) => world.atServer({ type: 'addTime', seconds }))),
  always('suspend', (world) => world.atServer({ type: 'suspend' })),
  always('resume', (world) => world.atServer({ type: 'resume' })),
  always('terminate', (world) => world.atServer({ type: 'terminate', reason: 'terminated' })),
  always('the visitor ends', (world) => world.endAtStation()),
  always('drop to station', (world) => void world.toStation.shift()),
  always('drop to server', (world) => void world.toServer.shift()),
  always('twice to station', (world) => duplicate(world.toStation)),
  always('twice to server', (world) => duplicate(world.toServer)),
  always('swap to station', (world) => swap(world.toStation)),
  always('swap to server', (world) => swap(world.toServer)),
  always('go offline', (world) => world.goOffline()),
  always('go online', (world) => world.goOnline()),
  // After a restart the station cannot know the time since the last save, so the visitor gets it back.
  always('restart the station', (world) => world.restartStation(), SAVE_INTERVAL_MS),
  always('restart the server', (world) => world.restartServer()),
  fc
    .integer({ min: -24 * HOUR_MS, max: 24 * HOUR_MS })
    .map((ms) => command(`server clock ${ms} ms`, (world) => world.stepServerClock(ms))),
  fc
    .integer({ min: -24 * HOUR_MS, max: 24 * HOUR_MS })
    .map((ms) => command(`station clock ${ms} ms`, (world) => world.setStationClock(ms))),
]

/** Both sides have the same version, state, session and end. */
function requireAgreement(world: World): void {
  const station = world.station()
  const server = world.server()
  const rest = restOf(station.phase)
  expect(station.version).toBe(server.version)
  expect(rest?.kind).toBe(server.state)
  expect(station.events).toEqual([])
  if (rest?.kind === 'active') {
    expect(rest.lease.sessionId).toBe(server.session?.id)
    // The shown time may stop until it is correct, but it is never longer than the real one.
    expect(world.leftAtStationMs() ?? 0).toBeLessThanOrEqual(world.leftAtServerMs() + ROUNDING_MS)
  }
}

test('when messages are lost, duplicated or swapped, or a side restarts, time never grows without a grant, and both sides agree when they are connected again', () => {
  fc.assert(
    fc.property(fc.commands(eventArbitraries, { maxCommands: 60, size: 'max' }), (commands) => {
      const world = createWorld()
      fc.modelRun(() => ({ model: { left: undefined }, real: world }), commands)
      world.settle()
      requireAgreement(world)
      // Both sides still agree at the end of the session.
      world.pass(HOUR_MS)
      world.settle()
      requireAgreement(world)
      expect(world.server().state).toBe('locked')
    }),
    { numRuns: RUNS },
  )
})
