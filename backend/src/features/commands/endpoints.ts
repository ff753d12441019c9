import { restApi, type SentCommands } from '@escale/protocol'
import { shown } from '../../db/page-window.ts'
import type { CommandRecord } from '../../db/rows.ts'
import { serve } from '../../http/endpoints.ts'
import type { CommandSending } from './sending.ts'
import { toStationCommand } from './view.ts'

const sentBy = (commands: CommandRecord[]): SentCommands => ({
  commands: commands.map(({ id, stationId }) => ({ id, stationId })),
})

export function commandEndpoints(commands: Pick<CommandSending, 'get' | 'list' | 'send'>) {
  return serve(restApi.commands, {
    list: async ({ query }) => shown(await commands.list(query), toStationCommand),
    read: async ({ params }) => toStationCommand(await commands.get(params.id)),
    send: async ({ params, body, actor }) =>
      sentBy(await commands.send(body, { stationId: params.id }, actor)),
    sendToSeveral: async ({ body: { stationIds, location, all, ...order }, actor }) =>
      sentBy(await commands.send(order, { stationIds, location, all }, actor)),
  })
}
