import type { User } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { useRoom } from '../room/room-store.ts'

export const fullName = (user: Pick<User, 'firstName' | 'lastName'>) => `${user.firstName} ${user.lastName}`

/** The visitor of a session as operators read it; a general word while the name is not loaded yet. */
export function useVisitorName() {
  const { t } = useI18n()
  const store = useRoom()
  return (userId: string | undefined): string => {
    if (userId === undefined) return t('room.anonymous')
    const visitor = store.visitors.get(userId)
    return visitor === undefined ? t('room.unknownVisitor') : fullName(visitor)
  }
}
