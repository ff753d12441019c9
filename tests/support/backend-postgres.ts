import { pino } from 'pino'
import { openDatabase } from '../../backend/src/db/database.ts'
import type {} from '../../backend/src/testing/database.ts'
import type { TestProject } from 'vitest/node'
import { startPostgres, type RunningPostgres } from './postgres.ts'

let server: RunningPostgres | undefined

/** One PostgreSQL server for the whole run. Each test copies the schema that is created here. */
export async function setup(project: TestProject): Promise<void> {
  server = await startPostgres()
  const url = new URL(server.url)
  await (await openDatabase(server.url, pino({ level: 'silent' }))).close()
  project.provide('postgresUrl', url.href)
}

export async function teardown(): Promise<void> {
  await server?.stop()
}
