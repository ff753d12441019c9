import type { Session, Station } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { useFormat, useNotify } from '../../composables/index.ts'
import { useServices } from '../../services.ts'
import { useVisitorName } from '../users/visitor-name.ts'
import { useRoom } from './room-store.ts'

/** What an operator can do with a session. What can be undone is done at once, and the undo is offered. */
export function useSessionActions() {
  const { api } = useServices()
  const room = useRoom()
  const { t } = useI18n()
  const { attempt } = useNotify()
  const format = useFormat()
  const visitorName = useVisitorName()

  const { sessions } = api
  const kept = async (answer: Promise<Session>) => {
    room.keep(await answer)
  }
  const addMinutes = (id: string, minutes: number) => () => kept(sessions.addTime({ id }, { minutes }))
  const suspend = (id: string) => () => kept(sessions.suspend({ id }))
  const resume = (id: string) => () => kept(sessions.resume({ id }))

  return {
    addTime({ label: station }: Station, { id }: Session, minutes: number) {
      const done = minutes > 0 ? 'room.added' : 'room.removed'
      const time = format.minutes(Math.abs(minutes) * 60)
      return attempt(addMinutes(id, minutes), t(done, { station, time }), addMinutes(id, -minutes))
    },
    suspend: ({ label: station }: Station, { id }: Session) =>
      attempt(suspend(id), t('room.suspended', { station }), resume(id)),
    resume: ({ label: station }: Station, { id }: Session) =>
      attempt(resume(id), t('room.resumed', { station }), suspend(id)),
    giveCredit({ id, userId, creditSeconds }: Session) {
      const done = t('credits.given', { visitor: visitorName(userId), time: format.minutes(creditSeconds) })
      return attempt(() => kept(sessions.giveCredit({ id })), done)
    },
    /** Cannot be undone: ask first. */
    terminate: ({ label: station }: Station, { id }: Session) =>
      attempt(() => kept(sessions.terminate({ id })), t('room.terminated', { station })),
    cancel: ({ id }: Session) =>
      attempt(async () => {
        await sessions.cancel({ id })
        room.forgetSession(id)
      }, t('pending.cancelled')),
  }
}
