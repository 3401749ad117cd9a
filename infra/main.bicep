// The provider's side: everything that Lightkeeper runs on, from an empty subscription.
//
//   azd up
//   az deployment sub create --location <region> --template-file infra/main.bicep --parameters infra/parameters/small.bicepparam
//
// The Event Grid subscription comes after the code (see app/event-subscription.bicep), because Azure refuses one
// whose function does not exist yet.

targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Names the resource groups and, hashed, everything in them.')
param environmentName string

@description('Region of everything but the customers\' event hubs.')
param location string

@minLength(3)
@maxLength(20)
@description('Start of the names of Event Hubs namespaces, which are unique in all of Azure.')
param namespacePrefix string = 'lk${take(uniqueString(subscription().id, environmentName, location), 6)}'

@description('Region of the event hubs for activity logs, unless a customer names another.')
param homeRegion string = location

@allowed([512, 2048, 4096])
@description('Memory of each instance of the function app, in MB.')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('How many instances there may be at once.')
param maximumInstanceCount int = 100

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of the storage account.')
param storageSku string = 'Standard_ZRS'

@minValue(1)
@description('After how many days capture files are deleted; what they held stands in condensed files by then. If it is more than 30, LIGHTKEEPER_LEDGER_DAYS has to be more by two, or files that were never handled are not found to the end.')
param captureRetentionDays int = 30

@minValue(1)
@description('After how many days condensed files are deleted.')
param condensedRetentionDays int = 90

@minValue(30)
@maxValue(730)
@description('How long logs and traces of the app are kept.')
param logRetentionDays int = 30

@description('Whether storage is reached through private endpoints only. Capture and Event Grid come in as trusted services.')
param privateNetworking bool = false

@description('Address space of the virtual network, /24 or larger.')
param addressPrefix string = '10.86.0.0/24'

@description('Who gets mail about alerts and the budget; none if empty.')
param alertEmail string = ''

@minValue(1)
@maxValue(48)
@description('An alert tells of every customer of whom nothing arrived for so many hours, though something did in the two days before.')
param quietHours int = 6

@minValue(0)
@description('Budget per month for both resource groups together, in the currency of the bill; none if 0 or without alertEmail or budgetStart.')
param monthlyBudget int = 0

@description('First day of the month in which the budget is made, such as 2026-01-01. It stays the same from then on: Azure refuses to move it.')
param budgetStart string = ''

@description('App settings that differ from local.settings.sample.json, such as schedules.')
param settings object = {}

@description('Tags on everything.')
param tags object = {}

var abbreviations = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var allTags = union(tags, { 'azd-env-name': environmentName })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: allTags
}

// Namespaces have a group of their own, so that the app's rights end there.
resource hubGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}-hubs'
  location: location
  tags: allTags
}

module identities 'app/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    appName: '${abbreviations.identity}app-${resourceToken}'
    captureName: '${abbreviations.identity}capture-${resourceToken}'
  }
}

module monitoring 'app/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: '${abbreviations.logAnalytics}${resourceToken}'
    applicationInsightsName: '${abbreviations.applicationInsights}${resourceToken}'
    retentionDays: logRetentionDays
  }
}

module storage 'app/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: '${abbreviations.storage}${resourceToken}'
    sku: storageSku
    isPrivate: privateNetworking
    captureRetentionDays: captureRetentionDays
    condensedRetentionDays: condensedRetentionDays
  }
}

module network 'app/network.bicep' = if (privateNetworking) {
  scope: group
  params: {
    location: location
    tags: allTags
    name: '${abbreviations.virtualNetwork}${resourceToken}'
    addressPrefix: addressPrefix
    endpointPrefix: '${abbreviations.privateEndpoint}${resourceToken}'
    storageName: storage.outputs.name
  }
}

module roles 'app/roles.bicep' = {
  scope: group
  params: {
    storageName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    appIdentityName: identities.outputs.appName
    captureIdentityName: identities.outputs.captureName
  }
}

module hubRole 'app/hub-role.bicep' = {
  scope: hubGroup
  params: {
    principalId: identities.outputs.appPrincipalId
  }
}

module app 'app/function-app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: '${abbreviations.functionApp}${resourceToken}'
    planName: '${abbreviations.plan}${resourceToken}'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    identityName: identities.outputs.appName
    captureIdentityId: identities.outputs.captureId
    storageName: storage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    hubResourceGroup: hubGroup.name
    namespacePrefix: namespacePrefix
    homeRegion: homeRegion
    settings: settings
  }
  dependsOn: [roles, hubRole]
}

module events 'app/events.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: '${abbreviations.systemTopic}${resourceToken}'
    storageName: storage.outputs.name
  }
}

module alerts 'app/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: monitoring.outputs.workspaceName
    actionGroupName: '${abbreviations.actionGroup}${resourceToken}'
    email: alertEmail
    quietHours: quietHours
    systemTopicName: events.outputs.name
  }
}

module workbook 'app/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: monitoring.outputs.workspaceName
  }
}

module budget 'app/budget.bicep' = if (monthlyBudget > 0 && !empty(alertEmail) && !empty(budgetStart)) {
  params: {
    name: 'lightkeeper-${environmentName}'
    amount: monthlyBudget
    start: budgetStart
    email: alertEmail
    resourceGroups: [group.name, hubGroup.name]
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_SYSTEM_TOPIC_NAME string = events.outputs.name
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output LIGHTKEEPER_URL string = app.outputs.url
output LIGHTKEEPER_PRINCIPAL_ID string = identities.outputs.appPrincipalId
output LIGHTKEEPER_HUB_RESOURCE_GROUP string = hubGroup.name
output LIGHTKEEPER_NAMESPACE_PREFIX string = namespacePrefix
output LIGHTKEEPER_CAPTURE_STORAGE_ID string = storage.outputs.id
output LIGHTKEEPER_CAPTURE_IDENTITY_ID string = identities.outputs.captureId
