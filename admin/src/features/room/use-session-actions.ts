import type { Session, Station } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { sessionsApi } from '../../api/resources.ts'
import { useFormat } from '../../composables/use-format.ts'
import { useNotify } from '../../composables/use-notify.ts'
import { useServices } from '../../services.ts'
import { useVisitorName } from '../users/visitor-name.ts'
import { useRoom } from './room-store.ts'

/** What an operator does to a running session. What can be taken back is done at once, with an undo. */
export function useSessionActions() {
  const sessions = sessionsApi(useServices().api)
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
        () => kept(sessions.addTime(session.id, minutes)),
        t(minutes > 0 ? 'room.added' : 'room.removed', { station: station.label, time }),
        () => kept(sessions.addTime(session.id, -minutes)),
      )
    },
    suspend: (station: Station, session: Session) =>
      attempt(
        () => kept(sessions.suspend(session.id)),
        t('room.suspended', { station: station.label }),
        () => kept(sessions.resume(session.id)),
      ),
    resume: (station: Station, session: Session) =>
      attempt(
        () => kept(sessions.resume(session.id)),
        t('room.resumed', { station: station.label }),
        () => kept(sessions.suspend(session.id)),
      ),
    giveCredit: (session: Session) =>
      attempt(
        () => kept(sessions.giveCredit(session.id)),
        t('credits.given', {
          visitor: visitorName(session.userId),
          time: format.minutes(session.creditSeconds),
        }),
      ),
    /** Cannot be taken back: ask first. */
    terminate: (station: Station, session: Session) =>
      attempt(() => kept(sessions.terminate(session.id)), t('room.terminated', { station: station.label })),
    cancel: (session: Session) =>
      attempt(async () => {
        await sessions.cancel(session.id)
        room.forgetSession(session.id)
      }, t('pending.cancelled')),
  }
}
