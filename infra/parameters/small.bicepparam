// A small provider: a few customers, some hundred subscriptions.

using '../main.bicep'

param environmentName = 'lightkeeper'
param location = 'westeurope'
param maximumInstanceCount = 40
param storageSku = 'Standard_ZRS'
param alertEmail = 'operators@example.com'
param monthlyBudget = 500
param budgetStart = readEnvironmentVariable('LIGHTKEEPER_BUDGET_START', '') // this month at first, then always the same
param tags = {
  owner: 'detection-engineering'
}
