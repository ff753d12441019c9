import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, constants, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createFreezer } from './freezer.ts'
import { createSeat, GUEST_TERMINAL, LOCK_TERMINAL, type Seat } from './seat.ts'
import { createTerminals } from './terminals.ts'
import { createUnits } from './units.ts'

/**
 * These tests change the terminal of the machine on which they run, so they must be asked for. They need root, a kernel
 * with virtual terminals, and control groups of version 2.
 */
const isAskedFor = process.env.ESCALE_TEST_TERMINALS === '1'

const SYSTEM = join(import.meta.dirname, '..', '..', '..', '..', 'system')
const HOLDER = join(import.meta.dirname, 'testing', 'hold-terminal.pl')
/** Where control groups of version 2 are, on their own or beside version 1. */
const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
const FREE_TERMINAL = 20

const terminals = createTerminals(join(SYSTEM, 'show-terminal'))
const never = new AbortController().signal
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

/** Stands for systemctl: it writes down what it is asked, and its answers are in a file. */
async function writeSystemctl(): Promise<string> {
  const path = join(folder, 'systemctl')
  await writeFile(
    path,
    `#!/bin/sh\necho "$1" >> ${folder}/asked\n[ -e ${folder}/refuses ] && [ "$1" = start ] && { echo "no such unit" >&2; exit 5; }\n[ "$1" = show ] && cat ${folder}/state\nexit 0\n`,
  )
  await chmod(path, 0o755)
  await writeFile(join(folder, 'state'), 'active\n')
  return path
}
const asked = async () =>
  (await readFile(join(folder, 'asked'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean)

describe.runIf(isAskedFor)('the seat, with the terminals of this machine', () => {
  let seat: Seat

  beforeAll(async () => {
    before = await terminals.shown()
  })
  afterAll(async () => {
    await terminals.show(before, true)
    // What show-terminal forbids is allowed again: VT_UNLOCKSWITCH.
    const allowing = spawn('perl', ['-e', 'open my $c, "+<", "/dev/tty0" or die; ioctl $c, 0x560C, 0 or die'])
    expect(await once(allowing, 'exit')).toEqual([0, null])
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'escale-seat-'))
    group = join(await findGroups(), `escale-test-${process.pid}`)
    await mkdir(group)
    const units = createUnits(await writeSystemctl())
    seat = createSeat({ terminals, freezer: createFreezer(group), units })
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
    expect(await terminals.shown()).toBe(GUEST_TERMINAL)
    await seat.lock(never)
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
    const counted = await visitor.counted()
    expect(await readFile(join(group, 'cgroup.events'), 'utf8')).toContain('frozen 1')
    await seat.lock(never)
    expect(await visitor.counted()).toBe(counted)
    await seat.open(never)
    await expect.poll(visitor.counted).toBeGreaterThan(counted)
    expect(await asked()).toEqual(['start', 'show', 'start', 'show'])
  })

  it('shows nothing of a session that does not start, and ends what is left of it', async () => {
    await seat.lock(never)
    await writeFile(join(folder, 'refuses'), '')
    await expect(seat.open(never)).rejects.toThrow('no such unit')
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
    expect(await asked()).toEqual(['start', 'stop'])
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
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
  })

  it('locks a seat without a visitor', async () => {
    await createSeat({
      terminals,
      freezer: createFreezer(join(group, 'nobody')),
      units: createUnits('false'),
    }).lock(never)
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
  })

  it('lets no other program change the terminal afterwards', async () => {
    await terminals.show(LOCK_TERMINAL, true)
    const request = `open my $c, "+<", "/dev/tty0" or die; ioctl $c, 0x5606, ${GUEST_TERMINAL} or die`
    expect(await once(spawn('perl', ['-e', request]), 'exit')).toEqual([0, null])
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
  })

  it.each(['process', 'graphics'] as const)('takes a terminal that a program holds (%s)', async (how) => {
    await terminals.show(FREE_TERMINAL, true)
    await holdTerminal(how)
    await terminals.show(LOCK_TERMINAL, true)
    expect(await terminals.shown()).toBe(LOCK_TERMINAL)
  })

  it('forgets a change that was refused, even if the terminal is let go later', async () => {
    await terminals.show(FREE_TERMINAL, true)
    const holder = await holdTerminal('process')
    await expect(terminals.show(GUEST_TERMINAL, false)).rejects.toThrow(`terminal ${FREE_TERMINAL} is shown`)
    holder.stdin!.write('let go\n')
    await once(holder.stdout!, 'data')
    expect(await terminals.shown()).toBe(FREE_TERMINAL)
  })
})

it('a program that cannot change terminals is said so', async () => {
  const refusing = createTerminals(join(SYSTEM, 'show-terminal'))
  await expect(refusing.show(99, false)).rejects.toThrow('usage: show-terminal')
})
