import { AGENT_VERSION } from './agent-version.ts'
import { readCommandLine, secretFlags, variableOf } from './flags.ts'
import { hideSecrets } from './hidden-secrets.ts'
import { readKernelCommandLine } from './kernel-command-line.ts'
import { takeServiceSettings } from './service-manager.ts'
import { exitCodes, SettingsError } from './settings-error.ts'
import { readSettings, type AgentSettings } from './settings.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

/** What every command but `help` and `version` starts with: the settings, and a warning for each that looks wrong. */
function settingsFrom(args: string[], isRoot: boolean): AgentSettings {
  const { env, platform } = process
  const kernelCommandLine = platform === 'linux' ? readKernelCommandLine() : ''
  const { settings, warnings } = readSettings(args, { env, platform, isRoot, kernelCommandLine })
  // Child processes, such as the visitor's browser, must not inherit secrets.
  for (const flag of secretFlags) Reflect.deleteProperty(env, variableOf(flag))
  for (const { fr, en } of warnings) process.stderr.write(`escale-agent: ${fr} · ${en}\n`)
  return settings
}

async function main(args: string[]): Promise<void> {
  hideSecrets(args)
  const { verb } = readCommandLine(args)
  const isRoot = process.getuid?.() === 0
  const searchPath = process.env.PATH ?? ''
  switch (verb) {
    case 'help': {
      const { helpText } = await import('./help.ts')
      say(helpText())
      return
    }
    case 'version':
      say(AGENT_VERSION)
      return
    case 'status': {
      const { statusOf } = await import('./diagnosis.ts')
      const { isRunning, lines } = await statusOf(settingsFrom(args, isRoot))
      lines.forEach(say)
      process.exitCode = isRunning ? 0 : exitCodes['no-agent']
      return
    }
    case 'doctor': {
      const { examine } = await import('./diagnosis.ts')
      const findings = await examine({ ...settingsFrom(args, isRoot), searchPath, isRoot })
      for (const { isGood, what, advice } of findings) say(`${isGood ? 'ok ' : 'BAD'} ${what}${advice ?? ''}`)
      process.exitCode = findings.every(({ isGood }) => isGood) ? 0 : exitCodes['fault-found']
      return
    }
    case 'unlock': {
      const { unlock } = await import('./unlock.ts')
      const { runningView } = await import('./diagnosis.ts')
      const { readScreenKey } = await import('./platform/linux/seat/screen-files.ts')
      const view = await runningView(settingsFrom(args, isRoot).screenPort)
      const hasSeatLock = (await readScreenKey()) !== undefined
      say(await unlock({ platform: process.platform, isRoot, phase: view?.phase, hasSeatLock }))
      return
    }
    case 'run': {
      const settings = settingsFrom(args, isRoot)
      const { run } = await import('./run.ts')
      const { env } = process
      const service = takeServiceSettings(env)
      return run(settings, { searchPath, logLevel: env.ESCALE_LOG_LEVEL ?? 'info', service })
    }
  }
}

main(process.argv.slice(2)).catch((err: unknown) => {
  const message = err instanceof Error ? err.message : String(err)
  process.stderr.write(`escale-agent: ${message}\n`)
  process.exit(err instanceof SettingsError ? err.exitCode : exitCodes.unexpected)
})
