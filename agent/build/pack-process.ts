import { join } from 'node:path'
import pkgSea from '@yao-pkg/pkg/lib-es5/sea.js'
import { nodeFlagsFor } from './node-flags.ts'
import type { Target } from './targets.ts'

/** What the process that packs one binary is told, as JSON in its only argument. */
export interface PackOrder {
  /** Folder of the bundle. The process must find it as the parent of its temporary folder. */
  workDir: string
  bundleName: string
  /** Files inside the binary, by the name under which the agent reads them. */
  assets: Record<string, string>
  target: { nodeRange: string; output: string } & Pick<Target, 'platform' | 'arch'>
}

/**
 * Packs one binary by pkg's SEA mode. pkg's own module is called, because its command line does not hand on the
 * configuration of the SEA blob. A process of its own, because the injection blocks and needs much memory.
 */
async function pack({ workDir, bundleName, assets, target }: PackOrder): Promise<void> {
  const seaConfig = {
    // The blob holds this path. pkg works in a folder below `workDir`: relative, it is the same in each build.
    main: join('..', bundleName),
    assets,
    execArgv: nodeFlagsFor(target),
    execArgvExtension: 'none',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
  }
  await pkgSea.default(join(workDir, bundleName), { targets: [target], seaConfig })
}

await pack(JSON.parse(process.argv[2] ?? '') as PackOrder)
