# The app makes namespaces itself, so no template brings their resource provider along.
$ErrorActionPreference = 'Stop'
az provider register --namespace Microsoft.EventHub --subscription $env:AZURE_SUBSCRIPTION_ID --wait
if ($LASTEXITCODE) { exit $LASTEXITCODE }
