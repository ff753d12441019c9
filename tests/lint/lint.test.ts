import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'
import { tables } from '../../backend/src/db/rows.ts'
import { ROOT } from '../support/spawned.ts'
import { OWNERS, READS } from './table-owners.ts'

const eslint = new ESLint({ cwd: ROOT })
const lines = (count: number) => '  console.assert(true)\n'.repeat(count)
const long = `export function long() {\n${lines(60)}}\n`
const factory = `export function create() {\n${Array.from({ length: 4 }, (_, n) => `  function f${n}() {\n${lines(40)}  }\n`).join('')}  return [f0, f1, f2, f3]\n}\n`

/** The text of a file that breaks a rule, and the name of the rule. */
const broken = [
  ['a long function', 'backend/src/http/etag.ts', long, 'escale/function-size'],
  ['a long factory', 'backend/src/http/etag.ts', factory, 'escale/function-size'],
  ['an enum', 'backend/src/http/etag.ts', 'export enum A { b }\n', 'no-restricted-syntax'],
  ['an enum in pure code', 'backend/src/domain/quota.ts', 'export enum A { b }\n', 'no-restricted-syntax'],
  ['a decorator', 'backend/src/http/etag.ts', '@a\nexport class B {}\n', 'no-restricted-syntax'],
  ['a decorator in pure code', 'protocol/src/time.ts', '@a\nexport class B {}\n', 'no-restricted-syntax'],
  ['a default export', 'backend/src/http/etag.ts', 'export default 1\n', 'no-restricted-syntax'],
  [
    'the environment read by a feature',
    'backend/src/http/etag.ts',
    'export const a = process.env.A\n',
    'no-restricted-syntax',
  ],
  [
    'the environment read by the link',
    'agent/src/link/link.ts',
    'export const a = process.env.A\n',
    'no-restricted-syntax',
  ],
  [
    'the time in pure code',
    'backend/src/domain/quota.ts',
    'export const a = new Date()\n',
    'no-restricted-syntax',
  ],
  [
    'the clock in pure code',
    'agent/src/core/clock.ts',
    'export const a = Date.now()\n',
    'no-restricted-properties',
  ],
  [
    'a random number in pure code',
    'protocol/src/time.ts',
    'export const a = Math.random()\n',
    'no-restricted-properties',
  ],
  [
    'a timer in pure code',
    'backend/src/domain/quota.ts',
    'setTimeout(() => 1, 1)\n',
    'no-restricted-globals',
  ],
  ['output to the console', 'backend/src/http/etag.ts', "console.log('a')\n", 'no-console'],
] as const

/** Texts that would stand in the repository of users. */
const ofOthers = [
  ['a model of another feature', 'export const f = ({ models: { logs } }) => logs\n'],
  ['a model of another feature by its name', 'export const f = (tables) => tables.models.logs\n'],
  ['a table of another feature that is opened', "export const f = (tables) => openTable(tables, 'logs')\n"],
  ['all models at once', 'export const f = (tables, name) => tables.models[name]\n'],
  ['a table of another feature in SQL', "export const sql = 'SELECT 1 FROM staff_calls'\n"],
  ['a table in SQL that is not named', 'export const sql = (name) => `SELECT 1 FROM ${name}`\n'],
  ['a write to a table that may only be read', "export const sql = 'DELETE FROM sessions'\n"],
] as const

const accepted = [
  ['a function of sixty lines', 'backend/src/http/etag.ts', `export function short() {\n${lines(57)}}\n`],
  ['the environment read by a command', 'backend/src/cli/doctor.ts', 'export const a = process.env.A\n'],
  [
    'a join that is in the list of exceptions',
    'backend/src/features/users/repository.ts',
    "export const sql = 'SELECT 1 FROM users JOIN sessions'\n",
  ],
  ['the default export of a tool', 'vitest.config.ts', 'export default 1\n'],
] as const

async function rulesBrokenBy(path: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath: path })
  return result?.messages.map(({ ruleId }) => ruleId) ?? []
}

describe('a rule of the linter', () => {
  it.each(broken)('refuses %s', async (_what, path, text, rule) => {
    expect(await rulesBrokenBy(path, text)).toContain(rule)
  })

  it.each(ofOthers)('refuses %s', async (_what, text) => {
    expect(await rulesBrokenBy('backend/src/features/users/repository.ts', text)).toContain(
      'escale/table-owners',
    )
  })

  it.each(accepted)('accepts %s', async (_what, path, text) => {
    const rules = await rulesBrokenBy(path, text)
    expect(rules).not.toContain('escale/function-size')
    expect(rules).not.toContain('no-restricted-syntax')
    expect(rules).not.toContain('escale/table-owners')
  })
})

describe('the owners of tables', () => {
  it('are known for each table, one for each', () => {
    expect(Object.values(OWNERS).flat().sort()).toEqual(Object.keys(tables).sort())
  })

  it.each(READS)('leave no exception that nobody needs: $file', ({ file, tables: read }) => {
    const text = readFileSync(join(ROOT, 'backend/src', file), 'utf8')
    for (const table of read) {
      const name = table.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      expect(text).toMatch(new RegExp(`(FROM|JOIN) ${name}\\b`))
    }
  })
})
