import { createRouter, createWebHistory } from 'vue-router'
import MainLayout from './layouts/MainLayout.vue'
import AccessPage from './pages/AccessPage.vue'
import LoginPage from './pages/LoginPage.vue'
import LogsPage from './pages/LogsPage.vue'
import RoomPage from './pages/RoomPage.vue'
import StationsPage from './pages/StationsPage.vue'
import UnknownPage from './pages/UnknownPage.vue'
import VisitorsPage from './pages/VisitorsPage.vue'
import { loginRouteFrom } from './routes.ts'

/** All pages are loaded with the first one, so each can be opened while the server is away or has been updated. */
export function createAppRouter(isSignedIn: () => boolean) {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/connexion', name: 'login', component: LoginPage },
      {
        path: '/',
        component: MainLayout,
        children: [
          { path: '', name: 'room', component: RoomPage },
          { path: 'visiteurs', name: 'visitors', component: VisitorsPage },
          { path: 'postes', name: 'stations', component: StationsPage },
          { path: 'journal', name: 'logs', component: LogsPage },
          { path: 'acces', name: 'access', component: AccessPage },
          { path: ':unknown(.*)*', name: 'unknown', component: UnknownPage },
        ],
      },
    ],
  })

  router.beforeEach((to) => {
    if (to.name === 'login') return isSignedIn() ? { name: 'room' } : true
    return isSignedIn() ? true : loginRouteFrom(to, false)
  })
  return router
}
