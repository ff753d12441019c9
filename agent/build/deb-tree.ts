import { copyFile, chmod, mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BuildError } from './build-error.ts'

export interface TreeOptions {
  /** The project's folder. */
  root: string
  /** An empty folder, whose content becomes the package. */
  tree: string
  /** The agent's binary. */
  program: string
  /** Debian's name of it. */
  architecture: string
  version: string
  /** Time of every file, in seconds since 1970. */
  epoch: number
}

const DOCS = 'usr/share/doc/escale-agent'
const UNITS = 'usr/lib/systemd/system'
/** What an administrator copies to turn on the guest account and the lock with a terminal of its own. */
const SEAT_SETTINGS = 'usr/share/escale-agent/seat'

/** Files of the agent and where they are in the package, with their modes. */
const FILES = [
  ['debian/escale-agent.service', `${UNITS}/escale-agent.service`, 0o644],
  ['debian/agent.json', 'etc/escale/agent.json', 0o600],
  ['debian/README.md', `${DOCS}/README.md`, 0o644],
  ['debian/postinst', 'DEBIAN/postinst', 0o755],
  ['debian/prerm', 'DEBIAN/prerm', 0o755],
  ['debian/postrm', 'DEBIAN/postrm', 0o755],
  // These units do nothing until that lock is turned on.
  ...['screen', 'guest', 'show-lock', 'show-guest'].map((name) => {
    const unit = `escale-${name}.service`
    return [`seat/${unit}`, `${UNITS}/${unit}`, 0o644] as const
  }),
  ['seat/show-terminal', 'usr/libexec/escale-agent/show-terminal', 0o755],
  ['seat/policies/escale-screen.json', 'usr/share/escale-agent/policies/escale-screen.json', 0o644],
  ['seat/pam-escale-seat', 'etc/pam.d/escale-seat', 0o644],
  ['seat/polkit-escale-seat.rules', 'usr/share/polkit-1/rules.d/50-escale-seat.rules', 0o644],
  ['seat/agent-seat.conf', `${SEAT_SETTINGS}/agent-seat.conf`, 0o644],
  ['debian/agent-guest.conf', `${SEAT_SETTINGS}/agent-guest.conf`, 0o644],
  ['seat/sysctl-escale-seat.conf', `${SEAT_SETTINGS}/sysctl-escale-seat.conf`, 0o644],
  ['seat/logind-escale-seat.conf', `${SEAT_SETTINGS}/logind-escale-seat.conf`, 0o644],
] as const

/** Settings that the administrator edits: dpkg asks before it replaces a changed one. */
const CONFFILES = '/etc/escale/agent.json\n/etc/pam.d/escale-seat\n'

/** Folders that only root may look into. */
const PRIVATE_FOLDERS = ['etc/escale', 'var/lib/escale-agent']

/** Writes everything that the package holds. */
export async function layOut(options: TreeOptions): Promise<void> {
  const { root, tree, program, epoch } = options
  await chmod(tree, 0o755)
  for (const [name, place, mode] of FILES) await put(join(root, 'agent', name), tree, place, mode)
  await put(join(root, 'docs/station-linux-lock.md'), tree, `${DOCS}/station-linux-lock.md`, 0o644)
  await put(join(root, 'LICENSE'), tree, `${DOCS}/copyright`, 0o644)
  await put(program, tree, 'usr/bin/escale-agent', 0o755).catch((cause: unknown) => {
    throw new BuildError(
      `${program} ne peut pas être copié (${String(cause)}).`,
      `${program} cannot be copied (details above).`,
      { cause },
    )
  })
  for (const folder of PRIVATE_FOLDERS) {
    await mkdir(join(tree, folder), { recursive: true })
    await chmod(join(tree, folder), 0o700)
  }
  await writeFile(join(tree, 'DEBIAN', 'conffiles'), CONFFILES)
  await writeFile(join(tree, 'DEBIAN', 'control'), await controlOf(options))
  await setTimes(tree, epoch)
}

async function put(source: string, tree: string, place: string, mode: number): Promise<void> {
  const path = join(tree, place)
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await copyFile(source, path)
  await chmod(path, mode)
}

/** The package's description. Source: https://www.debian.org/doc/debian-policy/ch-controlfields.html */
async function controlOf({ architecture, version, program }: TreeOptions): Promise<string> {
  const kilobytes = Math.ceil((await stat(program)).size / 1_024)
  return `Package: escale-agent
Version: ${version}
Architecture: ${architecture}
Maintainer: Escale <escale@localhost>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6, systemd (>= 252), init-system-helpers
Suggests: cage, labwc, chromium, libpam-systemd
Section: admin
Priority: optional
Description: agent of a public computer managed by Escale
 The program on each public computer of a library or a cybercafé: it opens the
 computer for a visitor's access code, counts the time down, warns, and locks.
 It is one file with all that it needs, and speaks to the site's Escale server.
`
}

/** Gives a folder and everything below it the same time, the folders last because writing changes theirs. */
async function setTimes(folder: string, epoch: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await setTimes(path, epoch)
    else await utimes(path, epoch, epoch)
  }
  await utimes(folder, epoch, epoch)
}
