import type { RouteLocationNormalizedLoaded, RouteLocationRaw } from 'vue-router'

/** Pages of the menu, in its order. */
export const menuPages = ['room', 'visitors', 'stations', 'logs', 'access'] as const
/** Pages for admins only. */
export const adminPages: readonly MenuPage[] = ['access']
export type MenuPage = (typeof menuPages)[number]

/** The login page, with the page to return to. */
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

/** Where to go after signing in: only a path of this site is accepted. */
export function safeNextPath(asked: unknown): string {
  return typeof asked === 'string' && /^\/(?![/\\])/.test(asked) ? asked : '/'
}
