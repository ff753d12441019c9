import type { OrderOp } from '@escale/protocol'
import {
  iconClose,
  iconFind,
  iconLock,
  iconMessage,
  iconPower,
  iconRestart,
  iconSignOut,
  iconWake,
} from '../../components/icons.ts'

/** What an operator may order from the room, in the order of the menu. */
export const menuOps = ['message', 'identify', 'lock', 'logout', 'reboot', 'shutdown', 'wake'] as const
export type MenuOp = (typeof menuOps)[number]

/** Done at once: nobody loses anything by them. The others are asked about first. */
export const immediateOps: readonly OrderOp[] = ['identify', 'wake']

/** What a visitor may lose work by. */
export const destructiveOps: readonly OrderOp[] = ['logout', 'reboot', 'shutdown']

export const opIcons: Record<OrderOp, string> = {
  message: iconMessage,
  identify: iconFind,
  lock: iconLock,
  logout: iconSignOut,
  reboot: iconRestart,
  shutdown: iconPower,
  wake: iconWake,
  update: iconRestart,
  cancel: iconClose,
}

/** To whom: a station, a location, or the whole room. */
export type CommandTarget = { stationId: string } | { location: string } | { all: true }
