import { writeFileSync } from 'node:fs'
import type { Reporter } from 'vitest/node'

/** The result of a test run. `note` says why a test was skipped. */
export interface Summary {
  passed: number
  failed: number
  skipped: { name: string; note: string }[]
}

/**
 * Writes the counts and the reasons of skips into a file. Vitest's own JSON report has no reasons.
 * A test file that cannot be loaded and an error outside any test count as one failure each.
 */
export function summaryReporter(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const summary: Summary = { passed: 0, failed: unhandledErrors.length, skipped: [] }
      for (const module of modules) {
        summary.failed += module.errors().length
        for (const test of module.children.allTests()) {
          const result = test.result()
          if (result.state === 'passed') summary.passed += 1
          else if (result.state === 'failed') summary.failed += 1
          else summary.skipped.push({ name: test.fullName, note: noteOf(result) })
        }
      }
      writeFileSync(file, JSON.stringify(summary))
    },
  }
}

const noteOf = (result: object) =>
  'note' in result && typeof result.note === 'string' ? result.note : 'no reason given'
