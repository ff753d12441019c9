import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createFreezer } from '../../agent/src/platform/linux/seat/freezer.ts'
import {
  createSeat,
  GUEST_TERMINAL,
  LOCK_TERMINAL,
  type Seat,
} from '../../agent/src/platform/linux/seat/seat.ts'
import { shownTerminal } from '../../agent/src/platform/linux/seat/terminals.ts'
import { createUnits, type Units } from '../../agent/src/platform/linux/seat/units.ts'

/**
 * These tests change the terminal of the machine on which they run, so they must be asked for. They need root, a kernel
 * with virtual terminals, and control groups of version 2.
 */
const isAskedFor = process.env.ESCALE_TEST_TERMINALS === '1'

/** The units that change the terminal, and their program. */
const SEAT_FILES = join(import.meta.dirname, '..', '..', 'agent', 'seat')
const HOLDER = join(import.meta.dirname, 'testing', 'hold-terminal.pl')
/** Where control groups of version 2 are, on their own or beside version 1. */
const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
const FREE_TERMINAL = 20

const SHOW = join(SEAT_FILES, 'show-terminal')
const never = new AbortController().signal
const run = promisify(execFile)
let before: number
let group: string
let folder: string
const children: ChildProcess[] = []

const findGroups = async () => {
  for (const path of GROUPS) {
    const isThere = await access(join(path, 'cgroup.procs'), constants.W_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  throw new Error('no control groups of version 2')
}

/** A process that counts for as long as it may run, in the visitor's group. */
async function startVisitor(): Promise<{ counted: () => Promise<number> }> {
  const file = join(folder, 'count')
  const child = spawn('sh', ['-c', `echo $$ > ${group}/cgroup.procs; while :; do echo >> ${file}; done`])
  children.push(child)
  const counted = async () => (await readFile(file, 'utf8').catch(() => '')).length
  await expect.poll(counted).toBeGreaterThan(0)
  return { counted }
}

async function holdTerminal(how: 'process' | 'graphics'): Promise<ChildProcess> {
  const child = spawn('perl', [HOLDER, String(FREE_TERMINAL), how], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

/** Changes the terminal like a unit: the error is what it says. */
const show = (...args: string[]) => run(SHOW, args).then(() => undefined)

/**
 * Stands for systemctl, because systemd does not run in tests. For the units of the seat it runs what their ExecStart
 * says; the visitor's session has the state that is in a file.
 */
async function writeSystemctl(): Promise<string> {
  const path = join(folder, 'systemctl')
  const script = `#!/bin/sh
[ "$1" = show ] && { cat ${folder}/state; exit; }
echo "$1 $2" >> ${folder}/asked
case "$1 $2" in
  "start escale-show-"*) exec $(sed -n 's#^ExecStart=/usr/libexec/escale-agent#${SEAT_FILES}#p' "${SEAT_FILES}/$2") ;;
  "start "*) [ ! -e ${folder}/refuses ] || { echo 'no such unit' >&2; exit 5; } ;;
esac
`
  await writeFile(path, script, { mode: 0o755 })
  await writeFile(join(folder, 'state'), 'active\n')
  return path
}
const asked = async () =>
  (await readFile(join(folder, 'asked'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean)

describe.runIf(isAskedFor)('the seat, with the terminals of this machine', () => {
  let seat: Seat
  let units: Units

  beforeAll(async () => {
    before = await shownTerminal()
  })
  afterAll(async () => {
    await show('--take', String(before))
    // What show-terminal forbids is allowed again: VT_UNLOCKSWITCH.
    const allowing = spawn('perl', ['-e', 'open my $c, "+<", "/dev/tty0" or die; ioctl $c, 0x560C, 0 or die'])
    expect(await once(allowing, 'exit')).toEqual([0, null])
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'escale-seat-'))
    group = join(await findGroups(), `escale-test-${process.pid}`)
    await mkdir(group)
    units = createUnits(await writeSystemctl())
    seat = createSeat({ units, freezer: createFreezer(group), shownTerminal })
  })
  afterEach(async () => {
    await writeFile(join(group, 'cgroup.kill'), '1')
    for (const child of children.splice(0)) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    await expect
      .poll(() =>
        rmdir(group).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await rm(folder, { recursive: true })
  })

  it('shows the lock and stops the visitor’s processes, then lets them go on', async () => {
    const visitor = await startVisitor()
    await seat.open(never)
    expect(await shownTerminal()).toBe(GUEST_TERMINAL)
    await seat.lock(never)
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
    const counted = await visitor.counted()
    expect(await readFile(join(group, 'cgroup.events'), 'utf8')).toContain('frozen 1')
    await seat.lock(never)
    expect(await visitor.counted()).toBe(counted)
    await seat.open(never)
    await expect.poll(visitor.counted).toBeGreaterThan(counted)
  })

  it('shows nothing of a session that does not start, and ends what is left of it', async () => {
    await seat.lock(never)
    await writeFile(join(folder, 'refuses'), '')
    await expect(seat.open(never)).rejects.toThrow('no such unit')
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
    expect((await asked()).slice(1)).toEqual(['start escale-guest.service', 'stop escale-guest.service'])
  })

  it('does not call a session open that has ended at once', async () => {
    await writeFile(join(folder, 'state'), 'activating\n')
    await expect(seat.open(never)).rejects.toThrow('has ended at once')
  })

  it('locks after an opening that was given up, never before it', async () => {
    await seat.lock(never)
    const aborter = new AbortController()
    const opening = expect(seat.open(aborter.signal)).rejects.toThrow()
    const locking = seat.lock(never)
    aborter.abort()
    await Promise.all([opening, locking])
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
  })

  it('locks a seat without a visitor', async () => {
    const freezer = createFreezer(join(group, 'nobody'))
    await createSeat({ units, freezer, shownTerminal }).lock(never)
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
  })

  it('lets no other program change the terminal afterwards', async () => {
    await show('--take', String(LOCK_TERMINAL))
    const request = `open my $c, "+<", "/dev/tty0" or die; ioctl $c, 0x5606, ${GUEST_TERMINAL} or die`
    expect(await once(spawn('perl', ['-e', request]), 'exit')).toEqual([0, null])
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
  })

  it.each(['process', 'graphics'] as const)('takes a terminal that a program holds (%s)', async (how) => {
    await show('--take', String(FREE_TERMINAL))
    await holdTerminal(how)
    await show('--take', String(LOCK_TERMINAL))
    expect(await shownTerminal()).toBe(LOCK_TERMINAL)
  })

  it('forgets a change that was refused, even if the terminal is let go later', async () => {
    await show('--take', String(FREE_TERMINAL))
    const holder = await holdTerminal('process')
    await expect(show(String(GUEST_TERMINAL))).rejects.toThrow(`terminal ${FREE_TERMINAL} is shown`)
    holder.stdin!.write('let go\n')
    await once(holder.stdout!, 'data')
    expect(await shownTerminal()).toBe(FREE_TERMINAL)
  })
})

it('the program that shows a terminal refuses what is none', async () => {
  await expect(show('99')).rejects.toThrow('usage: show-terminal')
})
