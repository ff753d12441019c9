import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kernelSettingsOf, readKernelCommandLine } from './kernel-command-line.ts'
import { readSettings } from './settings.ts'

/** A line as GRUB and live-boot write it. */
const line = (...own: string[]) =>
  `BOOT_IMAGE=/live/vmlinuz boot=live console=ttyS0,115200n8 systemd.unit=multi-user.target ${own.join(' ')} quiet\n`

const read = (kernelCommandLine: string, args: string[] = [], env: Record<string, string> = {}) =>
  readSettings(args, { env, platform: 'linux', isRoot: true, kernelCommandLine })

describe('the kernel’s command line of a diskless station', () => {
  it('gives the server and the boot token, and keeps what the station is given in memory', () => {
    const { settings, warnings } = read(line('escale.server=https://10.0.0.1:3443', 'escale.token=-to=ken_1'))
    expect(settings).toMatchObject({
      server: 'https://10.0.0.1:3443',
      enrolmentKey: '-to=ken_1',
      dataDir: '/run/escale-agent',
    })
    expect(warnings).toEqual([])
  })

  it('gives any other setting by the name of its flag', () => {
    const mac = '3c:52:82:11:22:33'
    const { settings } = read(line(`escale.mac="${mac}"`, 'escale.no_kiosk', 'escale.screen-port=4700'))
    expect(settings).toMatchObject({ mac, hasKiosk: false, screenPort: 4700 })
    expect(settings.dataDir).toBe('/var/lib/escale-agent')
  })

  it('comes after flags and environment, and before agent.json', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-kernel-'))
    const noFile = join(dataDir, 'none')
    const file = { server: 'https://file', enrolmentKeyFile: noFile, screenPort: 4701, dataDir: noFile }
    await writeFile(join(dataDir, 'agent.json'), JSON.stringify(file))
    const own = line('escale.server=https://kernel', 'escale.token=token', 'escale.screen-port=4702')
    const config = ['--config', join(dataDir, 'agent.json')]
    expect(read(own, config).settings).toMatchObject({
      server: 'https://kernel',
      enrolmentKey: 'token',
      screenPort: 4702,
      dataDir: noFile,
    })
    const env = { ESCALE_AGENT_SERVER: 'https://env' }
    const { settings } = read(own, [...config, '--screen-port', '4703'], env)
    expect(settings).toMatchObject({ server: 'https://env', screenPort: 4703 })
  })

  it('takes the last of several values, and none that is empty', () => {
    const { values, isDiskless } = kernelSettingsOf(
      line('escale.server=https://a', 'escale.server=https://b', 'escale.token='),
    )
    expect(values).toEqual({ server: 'https://b' })
    expect(isDiskless).toBe(false)
  })

  it.each(['escale.enrolment-key', 'escale.mqtt_secret'])('may not hold %s, which lasts', (name) => {
    const { settings, warnings } = read(line(`${name}=long-lived`))
    expect(settings).toMatchObject({ enrolmentKey: undefined, mqttSecret: undefined })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.en).toMatch(/is ignored.*escale\.token/)
    expect(JSON.stringify(warnings)).not.toContain('long-lived')
  })

  it('gives a warning with the right name for a parameter that sets nothing', () => {
    const { warnings } = read(line('escale.sever=x', 'escale.tokem=x', 'escale.colour=blue'))
    expect(warnings.map(({ en }) => en)).toEqual([
      'escale.sever sets nothing: did you mean escale.server?',
      'escale.tokem sets nothing: did you mean escale.token?',
      'escale.colour sets nothing',
    ])
  })

  it('is empty where the system has none', () => {
    expect(readKernelCommandLine('/nonexistent/cmdline')).toBe('')
  })
})
