import type { OrderOp } from '@escale/protocol'

/** Commands of the menu, in this order; each has an icon of its name. */
export const menuOps = ['message', 'identify', 'lock', 'logout', 'reboot', 'shutdown', 'wake'] as const
export type MenuOp = (typeof menuOps)[number]

/** Sent at once, because nobody loses anything. The others open a dialog first. */
export const immediateOps: readonly OrderOp[] = ['identify', 'wake']

/** A visitor may lose work. */
export const destructiveOps: readonly OrderOp[] = ['logout', 'reboot', 'shutdown']

/** One station, a location, or the whole room. */
export type CommandTarget = { stationId: string } | { location: string } | { all: true }
