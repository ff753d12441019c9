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

  const kept = async (answer: Promise<Session>) => {
    room.keep(await answer)
  }

  return {
    addTime(station: Station, session: Session, minutes: number) {
      const time = format.minutes(Math.abs(minutes) * 60)
      return attempt(
        () => kept(api.sessions.addTime({ id: session.id }, { minutes: minutes })),
        t(minutes > 0 ? 'room.added' : 'room.removed', { station: station.label, time }),
        () => kept(api.sessions.addTime({ id: session.id }, { minutes: -minutes })),
      )
    },
    suspend: (station: Station, session: Session) =>
      attempt(
        () => kept(api.sessions.suspend({ id: session.id })),
        t('room.suspended', { station: station.label }),
        () => kept(api.sessions.resume({ id: session.id })),
      ),
    resume: (station: Station, session: Session) =>
      attempt(
        () => kept(api.sessions.resume({ id: session.id })),
        t('room.resumed', { station: station.label }),
        () => kept(api.sessions.suspend({ id: session.id })),
      ),
    giveCredit: (session: Session) =>
      attempt(
        () => kept(api.sessions.giveCredit({ id: session.id })),
        t('credits.given', {
          visitor: visitorName(session.userId),
          time: format.minutes(session.creditSeconds),
        }),
      ),
    /** Cannot be undone: ask first. */
    terminate: (station: Station, session: Session) =>
      attempt(
        () => kept(api.sessions.terminate({ id: session.id })),
        t('room.terminated', { station: station.label }),
      ),
    cancel: (session: Session) =>
      attempt(async () => {
        await api.sessions.cancel({ id: session.id })
        room.forgetSession(session.id)
      }, t('pending.cancelled')),
  }
}
