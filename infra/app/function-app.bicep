// The function app on Flex Consumption. Every connection is by the app's identity.

param location string
param tags object
param name string
param planName string
param instanceMemoryMB int
param maximumInstanceCount int
param identityName string
param captureIdentityId string
param storageName string
param applicationInsightsName string

@description('Subnet for what the app calls; none if empty.')
param subnetId string

param hubResourceGroup string
param namespacePrefix string
param homeRegion string

@description('App settings that differ from local.settings.sample.json.')
param settings object

// The defaults of all tunable settings stand once, in the sample; what follows replaces its placeholders.
var sample = loadJsonContent('../../local.settings.sample.json').Values
var tunable = toObject(
  filter(items(sample), setting => startsWith(setting.key, 'LIGHTKEEPER_')),
  setting => setting.key,
  setting => setting.value
)

var endpoints = storage.properties.primaryEndpoints

var deployed = {
  AZURE_CLIENT_ID: identity.properties.clientId
  AZURE_RESOURCE_MANAGER_URL: environment().resourceManager
  LIGHTKEEPER_PRINCIPAL_ID: identity.properties.principalId
  LIGHTKEEPER_PROVIDER_TENANT_ID: subscription().tenantId
  LIGHTKEEPER_PROVIDER_SUBSCRIPTION_ID: subscription().subscriptionId
  LIGHTKEEPER_HUB_RESOURCE_GROUP: hubResourceGroup
  LIGHTKEEPER_CAPTURE_STORAGE_ID: storage.id
  LIGHTKEEPER_CAPTURE_IDENTITY_ID: captureIdentityId
  LIGHTKEEPER_NAMESPACE_PREFIX: namespacePrefix
  LIGHTKEEPER_HOME_REGION: homeRegion
}

var connections = {
  AzureWebJobsStorage__blobServiceUri: endpoints.blob
  AzureWebJobsStorage__queueServiceUri: endpoints.queue
  AzureWebJobsStorage__tableServiceUri: endpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  LightkeeperStorage__blobServiceUri: endpoints.blob
  LightkeeperStorage__queueServiceUri: endpoints.queue
  LightkeeperStorage__tableServiceUri: endpoints.table
  LightkeeperStorage__credential: 'managedidentity'
  LightkeeperStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  // Everything, because alerts and the workbook count what the app logs. The exporter's own default is five traces a
  // second, and none of the logs of the others (github.com/Azure/azure-sdk-for-net, pull request 54942).
  OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
  OTEL_TRACES_SAMPLER_ARG: '1.0'
}

resource storage 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: storageName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' }) // on nothing else: azd publishes only where it finds it once
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${endpoints.blob}deployment-package'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(tunable, deployed, connections, settings)
}

// Code is published with Entra tokens, never with publishing passwords.
resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for door in ['ftp', 'scm']: {
    parent: app
    name: door
    properties: {
      allow: false
    }
  }
]

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
