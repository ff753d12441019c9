import type { RouteLocationNormalizedLoaded, RouteLocationRaw } from 'vue-router'

/** Pages of the menu, in its order. */
export const menuPages = ['room', 'visitors', 'stations', 'logs', 'access'] as const
/** Of use to admins alone. */
export const adminPages: readonly MenuPage[] = ['access']
export type MenuPage = (typeof menuPages)[number]

/** The login page that remembers where one was going. */
export function loginRouteFrom(
  route: Pick<RouteLocationNormalizedLoaded, 'fullPath' | 'name' | 'query'>,
  isExpired: boolean,
): RouteLocationRaw {
  if (route.name === 'login') return { name: 'login', query: route.query }
  return {
    name: 'login',
    query: {
      suite: route.fullPath === '/' ? undefined : route.fullPath,
      expiree: isExpired ? '1' : undefined,
    },
  }
}

/** Where to go after signing in: a path of our own, whatever the address says. */
export function safeNextPath(asked: unknown): string {
  return typeof asked === 'string' && /^\/(?![/\\])/.test(asked) ? asked : '/'
}
