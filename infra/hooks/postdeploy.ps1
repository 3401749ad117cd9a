# The code is there now, so Event Grid can be told to send it capture files. Azure may take a minute to see its functions.
$ErrorActionPreference = 'Stop'
foreach ($try in 1..5) {
  az deployment group create `
    --subscription $env:AZURE_SUBSCRIPTION_ID `
    --resource-group $env:AZURE_RESOURCE_GROUP `
    --name lightkeeper-event-subscription `
    --template-file infra/app/event-subscription.bicep `
    --parameters `
    systemTopicName=$env:AZURE_SYSTEM_TOPIC_NAME `
    functionAppName=$env:AZURE_FUNCTION_APP_NAME `
    storageName=$env:AZURE_STORAGE_ACCOUNT_NAME `
    --output none
  if ($LASTEXITCODE -eq 0) { exit 0 }
  Start-Sleep -Seconds 30
}
exit 1
