/** What the agent's process exits with, by fault. docs/agent-commands.md explains them to whoever writes a script. */
export const exitCodes = {
  unexpected: 1,
  'command-line': 2,
  setting: 3,
  file: 4,
  'data-folder': 5,
  'screen-port': 6,
  'no-agent': 7,
  'fault-found': 8,
  'agent-running': 9,
  'not-root': 10,
  'unlock-refused': 11,
} as const

export type Fault = keyof typeof exitCodes

/** An error that the person who starts the agent can fix. Its message says in both languages what is wrong and what to do. */
export class SettingsError extends Error {
  readonly exitCode: number

  constructor(french: string, english: string, fault: Fault = 'setting') {
    super(`${french} · ${english}`)
    this.exitCode = exitCodes[fault]
  }
}
