import { cruise } from 'dependency-cruiser'
import { ROOT } from '../support/spawned.ts'
import { forbidden, options } from './structure-rules.ts'

const FOLDERS = ['protocol', 'broker', 'backend', 'agent', 'admin/src', 'tests']

/** Prints the forbidden imports, and exits with 1 if there are any. */
const { output, exitCode } = await cruise(FOLDERS, {
  ...options,
  baseDir: ROOT,
  ruleSet: { forbidden },
  validate: true,
  outputType: 'err',
})
process.stdout.write(output as string)
process.exitCode = exitCode
