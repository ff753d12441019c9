import type { PairingRequest, Station, User } from '@escale/protocol'
import type { MenuOp, CommandTarget } from '../features/commands/menu-commands.ts'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

/** Asked before what cannot be undone. */
export interface Confirmation {
  title: string
  /** Read anew while the dialog is open. */
  text: () => string
  confirmLabel: string
  /** Without: cancel. */
  cancelLabel?: string
  act: () => unknown
  /** Whether there is nothing left to decide; the dialog closes then. */
  isObsolete?: () => boolean
}

export type OpenDialog =
  | { kind: 'session'; visitor?: User; stationId?: string }
  | { kind: 'visitor'; visitor?: User; thenSession?: { stationId?: string } }
  | { kind: 'station'; station?: Station }
  | { kind: 'command'; op: MenuOp; target: CommandTarget }
  | { kind: 'accept'; request: PairingRequest }
  | { kind: 'confirm'; question: Confirmation }

/** The one dialog that is open over the page. */
export const useDialogs = defineStore('dialogs', () => {
  /** None or one; the serial number lets each dialog start afresh. */
  const current = shallowRef<{ serial: number; dialog: OpenDialog }[]>([])
  let openings = 0
  function open(dialog: OpenDialog): void {
    openings += 1
    current.value = [{ serial: openings, dialog }]
  }
  return {
    current,
    open,
    confirm: (question: Confirmation) => {
      open({ kind: 'confirm', question })
    },
    /** A dialog that gave way to another one must not close its successor. */
    close(dialog: OpenDialog) {
      current.value = current.value.filter((open) => open.dialog !== dialog)
    },
  }
})
