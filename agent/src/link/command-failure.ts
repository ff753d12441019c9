import type { CommandFailureCode } from '@escale/protocol'

/** A command could not be done; the code is what the server is told. */
export class CommandFailure extends Error {
  readonly code: CommandFailureCode

  constructor(code: CommandFailureCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
