// A large provider: hundreds of customers, ten thousand subscriptions and more. See docs/limits.md.

using '../main.bicep'

param environmentName = 'lightkeeper-prod'
param location = 'westeurope'
param instanceMemoryMB = 4096
param maximumInstanceCount = 400
param storageSku = 'Standard_GZRS'
param captureRetentionDays = 14
param condensedRetentionDays = 180
param logRetentionDays = 90
param privateNetworking = true
param alertEmail = 'operators@example.com'
param quietHours = 3
param monthlyBudget = 25000
param budgetStart = readEnvironmentVariable('LIGHTKEEPER_BUDGET_START', '') // this month at first, then always the same
param settings = {
  LIGHTKEEPER_HUB_PARTITIONS: '8'
  LIGHTKEEPER_CAPTURE_SIZE_BYTES: '314572800'
}
param tags = {
  owner: 'detection-engineering'
  criticality: 'high'
}
