import type { RunningServer } from '../../support/server.ts'
import type { PauseCase } from './case.ts'

/** Every topic and socket, with the largest that it lets in. */
export async function busCases(_server: RunningServer): Promise<PauseCase[]> {
  return []
}
