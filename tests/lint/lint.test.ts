import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/spawned.ts'

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

const accepted = [
  ['a function of sixty lines', 'backend/src/http/etag.ts', `export function short() {\n${lines(57)}}\n`],
  ['the environment read by a command', 'backend/src/cli/doctor.ts', 'export const a = process.env.A\n'],
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

  it.each(accepted)('accepts %s', async (_what, path, text) => {
    const rules = await rulesBrokenBy(path, text)
    expect(rules).not.toContain('escale/function-size')
    expect(rules).not.toContain('no-restricted-syntax')
  })
})
