// What the provider's API fills in by itself when it serves onboarding.bicep; for those who keep the file themselves.

using '../customer/onboarding.bicep'

param providerTenantId = '00000000-0000-0000-0000-000000000000'
param principalId = '00000000-0000-0000-0000-000000000000'
param excluded = [
  '/subscriptions/00000000-0000-0000-0000-000000000000'
]
