/** An error that the person who starts the agent can fix. Its message says in both languages what is wrong and what to do. */
export class SettingsError extends Error {
  constructor(french: string, english: string) {
    super(`${french} · ${english}`)
  }
}
