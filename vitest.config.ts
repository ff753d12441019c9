import { defineConfig } from 'vitest/config'
import { summaryReporter } from './tests/run/summary.ts'

const summaryFile = process.env.ESCALE_TEST_SUMMARY

/** One project per package, all at once; then the black-box tests, one file after the other. */
export default defineConfig({
  test: {
    reporters: summaryFile ? ['default', summaryReporter(summaryFile)] : ['default'],
    projects: [
      ...['protocol', 'broker', 'backend', 'agent', 'admin'].map((name) => ({
        test: { name, include: [`${name}/**/*.test.ts`], sequence: { groupOrder: 1 } },
      })),
      {
        test: {
          name: 'e2e',
          include: ['tests/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
