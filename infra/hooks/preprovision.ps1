# No template brings these resource providers along: the app makes namespaces itself, and the subnet of private
# networking is only delegated to Microsoft.App.
$ErrorActionPreference = 'Stop'
foreach ($provider in 'Microsoft.EventHub', 'Microsoft.App') {
  az provider register --namespace $provider --subscription $env:AZURE_SUBSCRIPTION_ID --wait
  if ($LASTEXITCODE) { exit $LASTEXITCODE }
}

# Azure takes a budget that begins this month, and never lets it begin at another time.
if ([int]$env:LIGHTKEEPER_MONTHLY_BUDGET -ne 0 -and -not $env:LIGHTKEEPER_BUDGET_START) {
  azd env set LIGHTKEEPER_BUDGET_START (Get-Date).ToUniversalTime().ToString('yyyy-MM-01')
  if ($LASTEXITCODE) { exit $LASTEXITCODE }
}
