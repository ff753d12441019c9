import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unlock, type UnlockOptions } from './unlock.ts'

/** Stands in for systemctl and show-terminal: it writes down how it was called, and fails where `failing` matches. */
async function stationWith(failing = 'nothing') {
  const folder = await mkdtemp(join(tmpdir(), 'escale-unlock-'))
  const calls = join(folder, 'calls')
  const program = async (name: string) => {
    const path = join(folder, name)
    const script = `#!/bin/sh\necho "${name} $*" >> "${calls}"\ncase "$*" in ${failing}*) echo "no such unit" >&2; exit 5;; esac\n`
    await writeFile(path, script, { mode: 0o755 })
    return path
  }
  const programs = { systemctl: await program('systemctl'), showTerminal: await program('show-terminal') }
  const options: UnlockOptions = { platform: 'linux', isRoot: true, hasSeatLock: false, programs }
  const done = async () => (await readFile(calls, 'utf8').catch(() => '')).trim().split('\n')
  return { options, done }
}

describe.skipIf(process.platform === 'win32')('a technician who unlocks a station', () => {
  it('stops the agent, and hears how to lock the station again', async () => {
    const { options, done } = await stationWith()
    expect(await unlock({ ...options, phase: 'locked' })).toMatch(
      /verrouiller.*systemctl start.* · .*lock it/,
    )
    expect(await done()).toEqual(['systemctl stop escale-agent.service'])
  })

  it('gets a console where the lock has a terminal of its own, after the agent has ended', async () => {
    const { options, done } = await stationWith()
    await unlock({ ...options, hasSeatLock: true })
    expect(await done()).toEqual([
      'systemctl stop escale-agent.service',
      'systemctl start getty@tty9.service',
      'show-terminal --free 9',
    ])
  })

  it.each<[string, Partial<UnlockOptions>, number, RegExp]>([
    ['who is not root', { isRoot: false }, 10, /demande root.* · .*needs root/],
    ['while a session runs', { phase: 'active' }, 11, /session est ouverte.* · .*session is open/],
    ['while a session is suspended', { phase: 'suspended' }, 11, /session est ouverte/],
    ['on Windows', { platform: 'win32' }, 11, /Linux/],
  ])('is refused %s, and nothing is touched', async (_, given, exitCode, message) => {
    const { options, done } = await stationWith()
    await expect(unlock({ ...options, ...given })).rejects.toMatchObject({
      exitCode,
      message: expect.stringMatching(message) as string,
    })
    expect(await done()).toEqual([''])
  })

  it('hears what failed, and goes no further', async () => {
    const { options, done } = await stationWith('stop')
    await expect(unlock({ ...options, hasSeatLock: true })).rejects.toThrow(/stop.*no such unit.*Ctrl-C/)
    expect(await done()).toHaveLength(1)
  })
})
