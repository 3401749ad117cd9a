// One namespace, its rule for diagnostic settings, and in it one hub with Capture per customer.

param name string
param region string
param customers string[]
param captureStorageId string
param captureIdentityId string
param partitions int
param retentionHours int
param captureIntervalSeconds int
param captureSizeBytes int
param throughputUnits int
param trustedServicesOnly bool
param tags object

var settings = loadJsonContent('settings.json')

resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: name
  location: region
  tags: tags
  sku: {
    name: settings.tier
    tier: settings.tier
    capacity: throughputUnits
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${captureIdentityId}': {}
    }
  }
  properties: {
    isAutoInflateEnabled: true
    maximumThroughputUnits: settings.maximumThroughputUnits
    minimumTlsVersion: settings.minimumTlsVersion
    disableLocalAuth: false // diagnostic settings send with the keys of the rule below
  }
}

// Azure Monitor takes only a rule of the namespace, and asks for all three rights.
resource rule 'Microsoft.EventHub/namespaces/authorizationRules@2026-01-01' = {
  parent: namespace
  name: settings.rule.name
  properties: {
    rights: settings.rule.rights
  }
}

resource network 'Microsoft.EventHub/namespaces/networkRuleSets@2026-01-01' = if (trustedServicesOnly) {
  parent: namespace
  name: 'default'
  properties: {
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: true
    publicNetworkAccess: 'Enabled'
  }
}

resource hubs 'Microsoft.EventHub/namespaces/eventhubs@2026-01-01' = [
  for customer in customers: {
    parent: namespace
    name: customer
    properties: {
      partitionCount: partitions
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: retentionHours
      }
      captureDescription: {
        enabled: true
        encoding: settings.capture.encoding
        intervalInSeconds: captureIntervalSeconds
        sizeLimitInBytes: captureSizeBytes
        skipEmptyArchives: true
        destination: {
          name: settings.capture.destination
          identity: {
            type: 'UserAssigned'
            userAssignedIdentity: captureIdentityId
          }
          properties: {
            storageAccountResourceId: captureStorageId
            blobContainer: settings.capture.container
            archiveNameFormat: settings.capture.archiveNameFormat
          }
        }
      }
    }
  }
]
