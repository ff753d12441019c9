import type { OperatorRole } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { claimsOf } from '../../api/claims.ts'
import { useServices } from '../../services.ts'

/** Who is signed in on this page. The server decides what a role may do; here the role only hides buttons. */
export const useOperator = defineStore('operator', () => {
  const { signIn, tokens } = useServices()
  const isSignedIn = ref(tokens.refresh() !== undefined)
  const username = ref('')
  const role = ref<OperatorRole>()

  function readClaims(): void {
    const claims = claimsOf(tokens.access() ?? '')
    username.value = claims?.username ?? ''
    role.value = claims?.role
  }

  /** After a reload only the refresh token is left: the name and role come with the first access token. */
  async function restore(): Promise<void> {
    await signIn.accessToken()
    readClaims()
  }

  /** This page signs out at once. Rejects when the server did not answer. */
  async function signOut(): Promise<void> {
    const revoked = signIn.signOut()
    isSignedIn.value = false
    username.value = ''
    role.value = undefined
    await revoked
  }

  return {
    isSignedIn,
    username,
    role,
    canAct: computed(() => role.value !== 'viewer'),
    isAdmin: computed(() => role.value === 'admin'),
    async signIn(name: string, password: string): Promise<void> {
      await signIn.signIn(name, password)
      readClaims()
      isSignedIn.value = true
    },
    restore,
    signOut,
  }
})
