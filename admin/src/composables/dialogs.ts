import type { PairingRequest, Station, User } from '@escale/protocol'
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

export type OpenDialog =
  | { kind: 'session'; visitor?: User; stationId?: string }
  | { kind: 'visitor'; visitor?: User; thenSession?: { stationId?: string } }
  | { kind: 'station'; station?: Station }
  | { kind: 'accept'; request: PairingRequest }

/** The one dialog that is open over the page. */
export const useDialogs = defineStore('dialogs', () => {
  const current = shallowRef<OpenDialog>()
  /** Counts openings, so that each dialog starts afresh. */
  const serial = ref(0)
  return {
    current,
    serial,
    open(dialog: OpenDialog) {
      serial.value += 1
      current.value = dialog
    },
    /** A dialog that gave way to another one must not close its successor. */
    close(dialog: OpenDialog) {
      if (current.value === dialog) current.value = undefined
    },
  }
})
