export { createPairingRepository } from './repository.ts'
export { enrolmentRoutes } from './routes.ts'
export { createEnrolmentService } from './service.ts'
export { brokerAddressOf, type BrokerAddress, type BrokerSite } from './broker-address.ts'
