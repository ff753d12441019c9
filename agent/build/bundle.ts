import { build } from 'esbuild'
import { BuildError } from './build-error.ts'

/**
 * Makes one CommonJS file of the agent and everything it imports. The same sources give the same bytes, wherever the
 * project's folder is.
 */
export async function bundleAgent(root: string, outfile: string): Promise<void> {
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ['agent/src/main.ts'],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node24',
      // Node 24 starts only a CommonJS script from inside a binary.
      format: 'cjs',
      define: { 'import.meta.dirname': '__dirname' },
      // Names stay as they are, so that a fault in a station's log can be read.
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'none',
      logLevel: 'silent',
    })
  } catch (err) {
    throw new BuildError(
      `esbuild n’a pas pu réunir l’agent en un fichier\u00a0: ${String(err)}`,
      'esbuild could not bundle the agent (details above). If you changed it, mend it and run again.',
      { cause: err },
    )
  }
}
