/** One input of the largest permitted size. */
export interface PauseCase {
  /** Route, topic or socket, and what is sent. */
  what: string
  /**
   * Sends it, and resolves once the server has dealt with it.
   * @returns a short word on the answer, such as its status
   */
  send(): Promise<string>
}

/** What became of a case: the longest pause of the server's event loop, the shortest of several tries. */
export interface Pause {
  what: string
  pauseMs: number
  answer: string
}
