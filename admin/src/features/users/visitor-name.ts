import type { User } from '@escale/protocol'
import { useI18n } from 'vue-i18n'
import { useRoom } from '../room/room-store.ts'

export const fullName = (user: Pick<User, 'firstName' | 'lastName'>) => `${user.firstName} ${user.lastName}`

/** Who a session is for, as an operator reads it; empty while the name is on its way. */
export function useVisitorName() {
  const { t } = useI18n()
  const store = useRoom()
  return (userId: string | undefined): string => {
    if (userId === undefined) return t('room.anonymous')
    const visitor = store.visitors.get(userId)
    return visitor === undefined ? t('room.unknownVisitor') : fullName(visitor)
  }
}
