/** What the person who starts the agent can mend: what is wrong and what to do, in both languages. */
export class SettingsError extends Error {
  constructor(french: string, english: string) {
    super(`${french} · ${english}`)
  }
}
