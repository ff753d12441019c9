import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { ROOT } from '../support/spawned.ts'
import { withTables } from './contract-tables.ts'

/** Generates the tables of docs/contract.md. */
const path = join(ROOT, 'docs/contract.md')
writeFileSync(
  path,
  await format(withTables(readFileSync(path, 'utf8')), { parser: 'markdown', printWidth: 110 }),
)
