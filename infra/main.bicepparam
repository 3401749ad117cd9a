// What `azd` takes from its environment: azd env set LIGHTKEEPER_ALERT_EMAIL operators@example.com, and so on.

using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'lightkeeper')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param alertEmail = readEnvironmentVariable('LIGHTKEEPER_ALERT_EMAIL', '')
param privateNetworking = bool(readEnvironmentVariable('LIGHTKEEPER_PRIVATE_NETWORKING', 'false'))
param monthlyBudget = int(readEnvironmentVariable('LIGHTKEEPER_MONTHLY_BUDGET', '0'))
param budgetStart = readEnvironmentVariable('LIGHTKEEPER_BUDGET_START', '')
