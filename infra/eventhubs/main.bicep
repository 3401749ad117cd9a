// Event Hubs namespaces and hubs as code: what the app makes by itself, for those who want it in a pipeline.
// Either may come first, and both may run; names and settings are the same (settings.json, held by a test).
//
//   az deployment group create --resource-group <hub group> --template-file infra/eventhubs/main.bicep \
//     --parameters infra/eventhubs/main.bicepparam
//
// Give it what GET /api/event-hubs/mapping answered.

@description('Customers by region, as published: { westeurope: ["contoso", "fabrikam"] }.')
param eventHubMapping object

@description('Where the app has put whom, as published: region, customer, namespace and shard of every hub. Empty before the app has put anybody anywhere: then a region\'s customers fill its namespaces in the order given.')
param hubs hubType[] = []

@minLength(3)
@maxLength(20)
@description('Start of namespace names (LIGHTKEEPER_NAMESPACE_PREFIX).')
param namespacePrefix string

@description('ID of the storage account that takes capture files (LIGHTKEEPER_CAPTURE_STORAGE_ID).')
param captureStorageId string

@description('ID of the identity with which Capture writes (LIGHTKEEPER_CAPTURE_IDENTITY_ID).')
param captureIdentityId string

@description('Hubs in a namespace (LIGHTKEEPER_HUBS_PER_NAMESPACE).')
param hubsPerNamespace int = loadJsonContent('settings.json').hubsPerNamespace

@description('Partitions of a hub (LIGHTKEEPER_HUB_PARTITIONS); never changed later.')
param partitions int = loadJsonContent('settings.json').hub.partitions

@description('How long a hub keeps events (LIGHTKEEPER_HUB_RETENTION_HOURS).')
param retentionHours int = loadJsonContent('settings.json').hub.retentionHours

@description('A capture file at least this often (LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS) ...')
param captureIntervalSeconds int = loadJsonContent('settings.json').capture.intervalSeconds

@description('... or at this size (LIGHTKEEPER_CAPTURE_SIZE_BYTES).')
param captureSizeBytes int = loadJsonContent('settings.json').capture.sizeBytes

@minValue(1)
@maxValue(20)
@description('Throughput units that every namespace has after the deployment; Azure raises them from there by itself. Give what busy namespaces have, lest they are throttled until they have it again.')
param throughputUnits int = 1

@description('Whether only trusted services, which Azure Monitor is, may reach the namespaces.')
param trustedServicesOnly bool = false

@description('Tags on every namespace. The app sets none, and takes none away unless it has to mend a namespace.')
param tags object = {}

@description('One event hub.')
type hubType = {
  region: string
  customer: string
  namespace: string
  shard: int
}

var settings = loadJsonContent('settings.json')

// Customer number i of a region has its hub in shard i / hubsPerNamespace + 1.
var inOrder = flatten(map(
  items(eventHubMapping),
  region => map(range(0, length(region.value)), i => {
    region: region.key
    customer: region.value[i]
    namespace: format(settings.namespaceName, namespacePrefix, region.key, i / hubsPerNamespace + 1)
    shard: i / hubsPerNamespace + 1
  })
))

var placed = empty(hubs) ? inOrder : hubs

// Every namespace once: a union holds no two equal items.
var namespaces = union([], map(placed, hub => { name: hub.namespace, region: hub.region }))

module namespace 'namespace.bicep' = [
  for each in namespaces: {
    name: each.name
    params: {
      name: each.name
      region: each.region
      customers: map(filter(placed, hub => hub.namespace == each.name), hub => hub.customer)
      captureStorageId: captureStorageId
      captureIdentityId: captureIdentityId
      partitions: partitions
      retentionHours: retentionHours
      captureIntervalSeconds: captureIntervalSeconds
      captureSizeBytes: captureSizeBytes
      throughputUnits: throughputUnits
      trustedServicesOnly: trustedServicesOnly
      tags: tags
    }
  }
]
