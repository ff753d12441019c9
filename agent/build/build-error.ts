/** A failure that the person who builds can mend. It says in both languages what failed and what to do next. */
export class BuildError extends Error {
  constructor(french: string, english: string, options?: ErrorOptions) {
    super(`Erreur\u00a0: ${french}\nError: ${english}`, options)
  }
}
