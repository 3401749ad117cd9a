// The storage account: capture files in, condensed files out, queues, tables, and the code itself.
// No shared keys, no public blobs, TLS 1.2 or newer.

param location string
param tags object
param name string
param sku string

@description('Whether only private endpoints and trusted services may come in.')
param isPrivate bool

param captureRetentionDays int
param condensedRetentionDays int

@description('What the app and the platform keep in blobs. `event-grid-dead-letter` takes events that could not be delivered.')
var containers = [
  'capture'
  'condensed'
  'set-aside'
  'parked'
  'published'
  'deployment-package'
  'event-grid-dead-letter'
]

var steps = [
  'subscriptions'
  'subscription-settings'
  'resources'
  'resource-settings'
  'workspace-exports'
  'event-hubs'
  'alert-exports'
  'offboarding'
]

// What the app works off; what fails too often goes to the queue of the same name with -poison.
var jobs = concat(map(steps, step => 'sync-${step}'), ['capture-files'])

var queues = concat(jobs, map(jobs, queue => '${queue}-poison'), ['condensed-ready'])

var tables = [
  'integrations'
  'subscriptions'
  'listings'
  'hubs'
  'captures'
  'operations'
  'problems'
  'resources'
  'workspaces'
  'alertexports'
  'claims'
  'mappings'
  'removals'
]

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = [
  for container in containers: {
    parent: blobs
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-08-01' = {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-08-01' = {
  parent: account
  name: 'default'
}

resource storageTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-08-01' = [
  for table in tables: {
    parent: tableService
    name: table
  }
]

resource retention 'Microsoft.Storage/storageAccounts/managementPolicies@2025-08-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'capture'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['capture/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: captureRetentionDays
                }
              }
            }
          }
        }
        {
          name: 'condensed'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['condensed/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: condensedRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

output id string = account.id
output name string = account.name
