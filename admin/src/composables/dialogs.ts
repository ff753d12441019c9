import type { PairingRequest, Station, User } from '@escale/protocol'
import type { MenuOp, OrderTarget } from '../features/commands/orders.ts'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

export type OpenDialog =
  | { kind: 'session'; visitor?: User; stationId?: string }
  | { kind: 'visitor'; visitor?: User; thenSession?: { stationId?: string } }
  | { kind: 'station'; station?: Station }
  | { kind: 'order'; op: MenuOp; target: OrderTarget }
  | { kind: 'accept'; request: PairingRequest }

/** The one dialog that is open over the page. */
export const useDialogs = defineStore('dialogs', () => {
  /** None or one; the serial number lets each dialog start afresh. */
  const current = shallowRef<{ serial: number; dialog: OpenDialog }[]>([])
  let openings = 0
  return {
    current,
    open(dialog: OpenDialog) {
      openings += 1
      current.value = [{ serial: openings, dialog }]
    },
    /** A dialog that gave way to another one must not close its successor. */
    close(dialog: OpenDialog) {
      current.value = current.value.filter((open) => open.dialog !== dialog)
    },
  }
})
