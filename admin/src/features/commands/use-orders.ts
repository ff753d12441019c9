import type { CommandInput } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { useDialogs } from '../../composables/dialogs.ts'
import { useNews } from '../../composables/use-news.ts'
import { useRoom } from '../room/room-store.ts'
import { useCommands } from './commands-store.ts'
import { harmlessOps, type MenuOp, type OrderTarget } from './orders.ts'

/** Orders from the menus: the harmless ones go at once, the others are asked about first. */
export function useOrders() {
  const { t } = useI18n()
  const { attempt } = useNews()
  const commands = useCommands()
  const dialogs = useDialogs()
  const room = useRoom()

  function targetName(target: OrderTarget): string {
    if ('stationId' in target) return room.stationLabel(target.stationId)
    return 'location' in target ? target.location : t('commands.wholeRoom')
  }

  const send = (order: CommandInput, target: OrderTarget) =>
    attempt(
      () => commands.send(order, target),
      t('commands.sent', { op: t(`commands.ops.${order.op}`), target: targetName(target) }),
    )

  return {
    targetName,
    send,
    choose(op: MenuOp, target: OrderTarget): void {
      if (harmlessOps.includes(op)) void send({ op }, target)
      else dialogs.open({ kind: 'order', op, target })
    },
  }
}
