import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestAccount } from './account.ts'
import { removeFiles } from './files.ts'
import type { HostTools } from './host-tools.ts'
import { found, type Leftovers } from './leftovers.ts'

const FOLDERS = ['/etc/NetworkManager/system-connections', '/run/NetworkManager/system-connections']

/**
 * Networks that NetworkManager keeps for the guest, with their passwords. Undefined without NetworkManager. Source:
 * nm-settings-keyfile(5), connection.permissions.
 */
export function savedNetworks({ name }: GuestAccount, tools: HostTools): Leftovers {
  async function inFolder(folder: string): Promise<string[] | undefined> {
    const files = await readdir(tools.path(folder)).catch(unlessMissing)
    const read = files?.map(async (file) => {
      const path = join(folder, file)
      const text = await readFile(tools.path(path), 'utf8').catch(unlessMissing)
      return text !== undefined && isFor(name, text) ? [path] : []
    })
    return read && (await Promise.all(read)).flat()
  }
  return {
    kind: 'networks',
    find: async () => {
      const lists = (await Promise.all(FOLDERS.map(inFolder))).filter((list) => list !== undefined)
      return lists.length === 0 ? undefined : found(lists.flat())
    },
    async remove({ names }, signal) {
      await removeFiles(names, tools, signal)
      // NetworkManager then leaves a network whose file is gone. Where it does not run there is nothing to leave.
      if (await tools.has('nmcli')) await tools.attempt('nmcli', ['connection', 'reload'], { signal })
    },
  }
}

function isFor(name: string, text: string): boolean {
  const permissions = /^permissions=(.*)$/m.exec(text)?.[1] ?? ''
  return permissions.split(/[;,]/).some((one) => one.trim().split(':')[1] === name)
}

function unlessMissing(err: unknown): undefined {
  const { code } = err as NodeJS.ErrnoException
  if (code !== 'ENOENT' && code !== 'EISDIR') throw err
}
