import { mkdir, readdir, readFile } from 'node:fs/promises'
import { SettingsError } from '../../../settings-error.ts'
import type { HostTools } from './host-tools.ts'

export interface GuestAccount {
  name: string
  uid: number
  gid: number
  home: string
}

const NAME = /^[a-z_][a-z0-9_-]{0,30}$/
const FIRST_UID_OF_PERSONS = 1_000
/** These groups can become root, change the system, or read what others type. */
const POWERFUL_GROUPS = [
  ...['root', 'sudo', 'wheel', 'admin', 'adm', 'disk', 'shadow', 'kmem', 'tty', 'input', 'staff'],
  ...['docker', 'lxd', 'incus', 'libvirt', 'podman', 'netdev', 'lpadmin', 'systemd-journal'],
]

/**
 * The account of the visitors. It is created if it does not exist. An account that may belong to a person, or that has
 * more rights than a visitor needs, is refused: everything of this account is deleted after each session.
 * @throws SettingsError
 */
export async function prepareAccount(name: string, tools: HostTools): Promise<GuestAccount> {
  if (!NAME.test(name)) {
    throw new SettingsError(
      `--guest-user attend un nom de compte comme escale-guest, et non ${name}.`,
      `--guest-user wants an account’s name such as escale-guest, not ${name}.`,
    )
  }
  const account = (await find(name, tools)) ?? (await create(name, tools))
  await checkAccount(account, tools)
  await checkHome(account, tools)
  return account
}

async function find(name: string, tools: HostTools): Promise<GuestAccount | undefined> {
  const { code, stdout } = await tools.attempt('getent', ['passwd', name])
  if (code !== 0) return undefined
  const [, , uid, gid, , home = ''] = stdout.trim().split(':')
  return { name, uid: Number(uid), gid: Number(gid), home }
}

/** A locked password, no other groups, and no range of subordinate ids: files with those would not be found. */
async function create(name: string, tools: HostTools): Promise<GuestAccount> {
  const ids = ['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0']
  const args = [
    '--no-create-home',
    '--user-group',
    '--shell',
    '/bin/bash',
    '--comment',
    'Escale',
    ...ids,
    name,
  ]
  const { code, stderr } = await tools.attempt('useradd', args)
  const account = code === 0 ? await find(name, tools) : undefined
  if (account !== undefined) return account
  const why = stderr.trim().split('\n')[0] ?? ''
  throw new SettingsError(
    `le compte ${name} ne peut pas être créé (${why})\u00a0: créez-le avec «\u202fuseradd --no-create-home ${name}\u202f».`,
    `the account ${name} cannot be created (${why}): create it with "useradd --no-create-home ${name}".`,
  )
}

async function checkAccount({ name, uid, home }: GuestAccount, tools: HostTools): Promise<void> {
  if (!(uid >= FIRST_UID_OF_PERSONS && uid < 65_534) || !/^\/[^/]+\/[^/]+/.test(home)) {
    throw new SettingsError(
      `${name} est un compte du système\u00a0: choisissez avec --guest-user un compte réservé aux visiteurs.`,
      `${name} is an account of the system: choose with --guest-user an account that only visitors use.`,
    )
  }
  const [, state] = (await tools.run('passwd', ['-S', name])).split(' ')
  if (state !== 'L' && state !== 'LK') {
    throw new SettingsError(
      `le compte ${name} a un mot de passe et appartient peut-être à quelqu’un\u00a0: choisissez un autre nom, ou verrouillez-le avec «\u202fpasswd -l ${name}\u202f».`,
      `the account ${name} has a password and may be somebody’s: choose another name, or lock it with "passwd -l ${name}".`,
    )
  }
  const groups = (await tools.run('id', ['-nG', name])).trim().split(' ')
  const powerful = groups.filter((group) => POWERFUL_GROUPS.includes(group))
  if (powerful.length > 0) {
    const list = powerful.join(', ')
    throw new SettingsError(
      `le compte ${name} est dans des groupes qu’un visiteur ne doit pas avoir (${list})\u00a0: retirez-l’en avec «\u202fgpasswd -d ${name} ${powerful[0]}\u202f».`,
      `the account ${name} is in groups that a visitor must not have (${list}): remove it with "gpasswd -d ${name} ${powerful[0]}".`,
    )
  }
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    const lines = (await readFile(tools.path(file), 'utf8').catch(() => '')).split('\n')
    if (!lines.some((line) => line.startsWith(`${name}:`) || line.startsWith(`${uid}:`))) continue
    throw new SettingsError(
      `${file} donne d’autres identifiants au compte ${name}\u00a0: retirez sa ligne de ${file}.`,
      `${file} gives other ids to the account ${name}: remove its line from ${file}.`,
    )
  }
}

/** The home of the guest is an empty folder of root. Each session gets a file system of its own there. */
async function checkHome({ name, home }: GuestAccount, tools: HostTools): Promise<void> {
  await mkdir(tools.path(home), { recursive: true, mode: 0o755 })
  const isMounted = (await tools.attempt('mountpoint', ['-q', '--', home])).code === 0
  if (isMounted || (await readdir(tools.path(home))).length === 0) return
  throw new SettingsError(
    `${home} contient déjà des fichiers\u00a0: le compte ${name} appartient peut-être à quelqu’un. Choisissez un autre nom, ou videz ce dossier.`,
    `${home} already has files: the account ${name} may be somebody’s. Choose another name, or empty this folder.`,
  )
}
