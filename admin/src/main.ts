import { createPinia } from 'pinia'
import { Dark, IconSet, Notify, Quasar } from 'quasar'
import 'quasar/src/css/index.sass'
import iconSet from 'quasar/icon-set/svg-material-symbols-rounded'
import { createApp, watchEffect } from 'vue'
import App from './App.vue'
import { createApi } from './api/client.ts'
import { createTokens } from './api/tokens.ts'
import { openChannel, openStore } from './browser/storage.ts'
import { keepFocus } from './composables/keep-focus.ts'
import { findIcon } from './components/icons.ts'
import './css/app.scss'
import { useOperator } from './features/auth/operator.ts'
import { applyLanguage, createMessages, useLanguage } from './i18n/index.ts'
import { createAppRouter } from './router.ts'
import { loginRouteFrom } from './routes.ts'
import { servicesKey } from './services.ts'

const language = useLanguage()
const messages = createMessages(language.value)
const session = openStore(() => sessionStorage)
const tokens = createTokens(session, openChannel('escale.tokens'))
const client = createApi({ tokens, language: () => language.value, onSessionLost: returnToLogin })

const app = createApp(App)
app.use(Quasar, { plugins: { Dark, Notify }, config: { dark: 'auto' }, iconSet })
IconSet.iconMapFn = findIcon
app.use(createPinia())
app.use(messages)
app.provide(servicesKey, { ...client, tokens, isSignInKept: session.isKept })
const router = createAppRouter(() => tokens.refresh() !== undefined)
app.use(router)
watchEffect(() => {
  messages.global.locale.value = language.value
  applyLanguage(language.value)
})
app.mount('#app')
keepFocus()

/** After the sign-in has ended: the operator signs in, then returns to the same page. */
function returnToLogin(): void {
  const operator = app.runWithContext(() => useOperator())
  if (!operator.isSignedIn) return
  // The sign-in has already ended: an error of the server does not matter.
  operator.signOut().catch(() => undefined)
  void router.replace(loginRouteFrom(router.currentRoute.value, true))
}
