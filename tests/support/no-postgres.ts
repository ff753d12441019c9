import { it } from 'vitest'
import { POSTGRES_HINT } from './postgres.ts'

it('runs the backend’s tests on PostgreSQL', (context) => context.skip(true, POSTGRES_HINT))
