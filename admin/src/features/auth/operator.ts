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

  /** This page signs out at once; rejects when the server could not be told. */
  async function signOut(): Promise<void> {
    const told = api.signOut()
    isSignedIn.value = false
    username.value = ''
    role.value = undefined
    await told
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
