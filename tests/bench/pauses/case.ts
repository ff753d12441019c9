/** One input of the largest permitted size. */
export interface PauseCase {
  /** Route, topic or socket, and what is sent. */
  what: string
  /**
   * Sends it, and resolves once the server has handled it.
   * @returns a short description of the answer, such as its status
   */
  send(): Promise<string>
}

/** The result of a case: the longest pause of the server's event loop. Of several tries, the best one counts. */
export interface Pause {
  what: string
  pauseMs: number
  answer: string
}
