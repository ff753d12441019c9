import { createPinia } from 'pinia'
import { Dark, Notify, Quasar } from 'quasar'
import 'quasar/src/css/index.sass'
import iconSet from 'quasar/icon-set/svg-material-symbols-rounded'
import { createApp } from 'vue'
import App from './App.vue'
import { createApiClient } from './api/client.ts'
import { createTokens } from './api/tokens.ts'
import { openChannel, openStore } from './browser/storage.ts'
import { keepFocus } from './composables/keep-focus.ts'
import './css/app.scss'
import { useOperator } from './features/auth/operator.ts'
import { applyLanguage, chosenLanguage, createMessages } from './i18n/index.ts'
import { createAppRouter, loginRouteFrom } from './router.ts'
import { servicesKey } from './services.ts'

const preferences = openStore(() => localStorage)
const messages = createMessages(chosenLanguage(preferences))
const language = () => messages.global.locale.value
const session = openStore(() => sessionStorage)
const tokens = createTokens(session, openChannel('escale.tokens'))
const api = createApiClient({ tokens, language, onSessionLost: returnToLogin })

const app = createApp(App)
app.use(Quasar, { plugins: { Dark, Notify }, config: { dark: 'auto' }, iconSet })
app.use(createPinia())
app.use(messages)
app.provide(servicesKey, { api, tokens, preferences, isSignInKept: session.isKept })
const router = createAppRouter(() => tokens.refresh() !== undefined)
app.use(router)
applyLanguage(language(), preferences)
app.mount('#app')
keepFocus()

/** An expired session: sign in, then back to the same place. */
function returnToLogin(): void {
  const operator = app.runWithContext(() => useOperator())
  if (!operator.isSignedIn) return
  // The sign-in has ended already: whether the server can be told again does not matter.
  operator.signOut().catch(() => undefined)
  void router.replace(loginRouteFrom(router.currentRoute.value, true))
}
