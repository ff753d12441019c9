import { defineConfig } from 'vitest/config'
import { summaryReporter } from './tests/run/summary.ts'
import { findPostgres } from './tests/support/postgres.ts'

/** Set by `npm run test:full`, which runs what needs another system. */
const isFull = process.env.ESCALE_TEST_FULL !== undefined
const summaryFile = process.env.ESCALE_TEST_SUMMARY

/** A test awaits events, not time: this is for what hangs, on two cores that are busy with the others. */
const PATIENT = { testTimeout: 30_000, hookTimeout: 60_000 }

/** Where nothing touches the database, once is enough. */
const WITHOUT_DATABASE = [
  'backend/src/{certificates,doctor,domain}/**',
  'backend/src/**/{data-folder,environment,image,run-job,settings-file,site-lock,sqlite-storage,secure-erasure,backup}.test.ts',
]
const NOT_OURS = '**/node_modules/**'

const onPostgres = findPostgres()
  ? {
      include: ['backend/**/*.test.ts'],
      exclude: [...WITHOUT_DATABASE, NOT_OURS],
      globalSetup: ['tests/support/backend-postgres.ts'],
    }
  : { include: ['tests/support/no-postgres.ts'] }

/**
 * One project per package, all at once, and the backend a second time, on PostgreSQL; then the black-box tests,
 * one file after the other.
 */
export default defineConfig({
  test: {
    reporters: summaryFile ? ['default', summaryReporter(summaryFile)] : ['default'],
    projects: [
      ...['protocol', 'broker', 'backend', 'agent', 'admin'].map((name) => ({
        test: {
          name,
          include: [`${name}/**/*.test.ts`],
          exclude: ['**/*.postgres.test.ts', NOT_OURS],
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      })),
      {
        test: {
          name: 'backend-postgres',
          sequence: { groupOrder: 1 },
          ...PATIENT,
          ...onPostgres,
        },
      },
      {
        test: {
          name: 'e2e',
          include: [isFull ? 'tests/full/**/*.test.ts' : 'tests/!(full)/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
