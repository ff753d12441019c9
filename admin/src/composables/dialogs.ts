import type { PairingRequest, Station, User } from '@escale/protocol'
import type { MenuOp, OrderTarget } from '../features/commands/orders.ts'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

/** Asked before what cannot be undone. */
export interface Question {
  title: string
  /** Read anew while the dialog is open. */
  text: () => string
  confirmLabel: string
  /** Without: cancel. */
  keepLabel?: string
  act: () => unknown
  /** Whether there is nothing left to decide; the dialog closes then. */
  isMoot?: () => boolean
}

export type OpenDialog =
  | { kind: 'session'; visitor?: User; stationId?: string }
  | { kind: 'visitor'; visitor?: User; thenSession?: { stationId?: string } }
  | { kind: 'station'; station?: Station }
  | { kind: 'order'; op: MenuOp; target: OrderTarget }
  | { kind: 'accept'; request: PairingRequest }
  | { kind: 'confirm'; question: Question }

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
    confirm: (question: Question) => {
      open({ kind: 'confirm', question })
    },
    /** A dialog that gave way to another one must not close its successor. */
    close(dialog: OpenDialog) {
      current.value = current.value.filter((open) => open.dialog !== dialog)
    },
  }
})
