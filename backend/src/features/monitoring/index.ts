import type { Feature } from '../feature.ts'
import { serviceEndpoints, type ServiceEndpointPorts } from './endpoints.ts'
import { metricsRoutes, type MetricsPorts } from './metrics.ts'

export type MonitoringPorts = ServiceEndpointPorts & MetricsPorts

/** Endpoints for monitoring programs. */
export function createMonitoring(ports: MonitoringPorts) {
  return {
    service: {},
    endpoints: [serviceEndpoints(ports)],
    routes: metricsRoutes(ports),
  } satisfies Feature
}
