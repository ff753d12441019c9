import type { OperatorRole } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { claimsOf } from '../../api/claims.ts'
import { useServices } from '../../services.ts'

/** Who is signed in at this page. What the role may do is the server's to decide; here it hides buttons. */
export const useOperator = defineStore('operator', () => {
  const { api, tokens } = useServices()
  const isSignedIn = ref(tokens.refresh() !== undefined)
  const username = ref('')
  const role = ref<OperatorRole>()

  function readClaims(): void {
    const claims = claimsOf(tokens.access() ?? '')
    username.value = claims?.username ?? ''
    role.value = claims?.role
  }

  async function signIn(name: string, password: string): Promise<void> {
    await api.signIn(name, password)
    readClaims()
    isSignedIn.value = true
  }

  /** After a reload only the refresh token is left: the name comes with the first access token. */
  async function restore(): Promise<void> {
    await api.accessToken()
    readClaims()
  }

  function signOut(): void {
    tokens.forget()
    isSignedIn.value = false
    username.value = ''
    role.value = undefined
  }

  return {
    isSignedIn,
    username,
    role,
    canAct: computed(() => role.value !== 'viewer'),
    /** Stations and their requests are an administrator's. */
    isAdmin: computed(() => role.value === 'admin'),
    signIn,
    restore,
    signOut,
  }
})
