import type { CommandInput } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { useDialogs, useNotify } from '../../composables/index.ts'
import { useRoom } from '../room/room-store.ts'
import { useCommands } from './commands-store.ts'
import { immediateOps, type MenuOp, type CommandTarget } from './menu-commands.ts'

/** Sends commands from the menus: the harmless ones at once, the others after a dialog. */
export function useSendCommand() {
  const { t } = useI18n()
  const { attempt } = useNotify()
  const commands = useCommands()
  const dialogs = useDialogs()
  const room = useRoom()

  function targetName(target: CommandTarget): string {
    if ('stationId' in target) return room.stationLabel(target.stationId)
    return 'location' in target ? target.location : t('commands.wholeRoom')
  }

  const send = (order: CommandInput, target: CommandTarget) =>
    attempt(
      () => commands.send(order, target),
      t('commands.title', { op: t(`commands.ops.${order.op}`), target: targetName(target) }),
    )

  return {
    targetName,
    send,
    choose(op: MenuOp, target: CommandTarget): void {
      if (immediateOps.includes(op)) void send({ op }, target)
      else dialogs.open('command', { op, target })
    },
  }
}
