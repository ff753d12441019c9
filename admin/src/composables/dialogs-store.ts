import type { PairingRequest, Station, User } from '@escale/protocol'
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { CommandTarget, MenuOp } from '../features/commands/menu-commands.ts'

/** The dialogs that several pages open, with the props of each; `layouts/OpenDialogs.vue` shows them. */
export interface DialogProps {
  session: { visitor?: User; stationId?: string }
  visitor: { visitor?: User; thenSession?: { stationId?: string } }
  station: { station?: Station }
  command: { op: MenuOp; target: CommandTarget }
  accept: { request: PairingRequest }
  confirm: Confirmation
}
export type DialogName = keyof DialogProps

/** Asked before something that cannot be undone. */
export interface Confirmation {
  title: string
  /** Evaluated again while the dialog is open. */
  text: () => string
  confirmLabel: string
  /** "Cancel" by default. */
  cancelLabel?: string
  act: () => unknown
  /** There is nothing left to confirm; the dialog closes then. */
  isObsolete?: () => boolean
}

/** The one dialog that is open over the page. */
export const useDialogs = defineStore('dialogs', () => {
  const current = shallowRef<{ id: number; name: DialogName; props: DialogProps[DialogName] }>()
  let lastId = 0

  function open<Name extends DialogName>(name: Name, props: DialogProps[Name]): void {
    lastId += 1
    current.value = { id: lastId, name, props }
  }
  /** Closes the dialog with this id, unless another one has replaced it. */
  function close(id: number): void {
    if (current.value?.id === id) current.value = undefined
  }
  return { current, open, close }
})
