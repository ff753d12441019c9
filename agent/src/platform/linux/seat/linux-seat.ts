import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { promisify } from 'node:util'
import { SettingsError } from '../../../settings-error.ts'
import type { Kiosk } from '../../platform.ts'
import { createFreezer } from './freezer.ts'
import { openLockScreen } from './lock-screen.ts'
import { prepareScreenKey, writeStartPage } from './screen-files.ts'
import { createSeat, type Seat } from './seat.ts'
import { shownTerminal } from './terminals.ts'
import { createUnits } from './units.ts'

/** The account of escale-guest.service. */
const GUEST_USER = 'escale-guest'
const GROUPS = '/sys/fs/cgroup'

const run = promisify(execFile)

export interface LinuxSeat {
  seat: Seat
  /** Only who has this key may speak to the screen's server. */
  screenKey: string
  openScreen: (url: string) => Promise<Kiosk>
}

/**
 * The seat of a station with the units of agent/seat.
 * @throws SettingsError
 */
export async function createLinuxSeat(): Promise<LinuxSeat> {
  const uid = await guestUid()
  await access(`${GROUPS}/cgroup.controllers`).catch((cause: unknown) => {
    throw notPossible(
      'ce noyau n’a pas les groupes de contrôle v2',
      'this kernel lacks control groups v2',
      cause,
    )
  })
  const screenKey = await prepareScreenKey().catch((cause: unknown) => {
    throw notPossible(
      '/run/escale-agent n’est pas accessible\u00a0; lancez l’agent comme service',
      '/run/escale-agent cannot be used; run the agent as a service',
      cause,
    )
  })
  const freezer = createFreezer(`${GROUPS}/user.slice/user-${uid}.slice`)
  return {
    seat: createSeat({ units: createUnits(), freezer, shownTerminal }),
    screenKey,
    openScreen: async (url) => {
      await writeStartPage(url, screenKey)
      return openLockScreen()
    },
  }
}

async function guestUid(): Promise<number> {
  const answer = await run('id', ['-u', GUEST_USER]).catch((cause: unknown) => {
    throw notPossible(
      `le compte ${GUEST_USER} n’existe pas`,
      `the account ${GUEST_USER} does not exist`,
      cause,
    )
  })
  return Number(answer.stdout)
}

const notPossible = (french: string, english: string, cause: unknown) =>
  Object.assign(
    new SettingsError(
      `--seat-lock n’est pas possible\u00a0: ${french} (docs/station-linux-lock.md).`,
      `--seat-lock is not possible: ${english} (docs/station-linux-lock.md).`,
    ),
    { cause },
  )
