import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/spawned.ts'

const PACKAGES = ['protocol', 'broker', 'backend', 'agent', 'admin'] as const
const IS_TEST = /\.test\.ts$|\/testing[./-]|\/node_modules\/|\/dist\//

/** The sizes of the source files of each package, in lines, without tests. */
export function sizesOfPackages(root: string = ROOT): string[] {
  const rows = PACKAGES.map((name) => sizeOf(root, name))
  const total = rows.reduce((sum, { lines }) => sum + lines, 0)
  return [
    'package    files  lines  median  90 %  largest',
    ...rows.map(({ name, files, lines, median, ninth, largest }) =>
      [
        name.padEnd(10),
        String(files).padStart(5),
        String(lines).padStart(6),
        String(median).padStart(7),
        String(ninth).padStart(5),
        ` ${largest}`,
      ].join(' '),
    ),
    `all of them: ${total} lines`,
  ]
}

function sizeOf(root: string, name: string) {
  const paths = globSync(`${name}/**/*.{ts,vue}`, { cwd: root }).filter((path) => !IS_TEST.test(path))
  const sized = paths
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines)
  const at = (share: number) =>
    sized[Math.min(sized.length - 1, Math.floor(sized.length * share))]?.lines ?? 0
  const largest = sized.at(-1)
  return {
    name,
    files: sized.length,
    lines: sized.reduce((sum, { lines }) => sum + lines, 0),
    median: at(0.5),
    ninth: at(0.9),
    largest: largest ? `${largest.lines} ${largest.path}` : '–',
  }
}
