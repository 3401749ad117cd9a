// Replace event-hub-mapping.json by what the app publishes:
//
//   curl -H "x-functions-key: $KEY" "$LIGHTKEEPER_URL/api/event-hubs/mapping" > infra/eventhubs/event-hub-mapping.json

using 'main.bicep'

var published = loadJsonContent('event-hub-mapping.json')

param eventHubMapping = published.eventHubMapping
param hubs = published.hubs
param namespacePrefix = readEnvironmentVariable('LIGHTKEEPER_NAMESPACE_PREFIX', 'lightkeeper')
param captureStorageId = readEnvironmentVariable('LIGHTKEEPER_CAPTURE_STORAGE_ID', '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lightkeeper/providers/Microsoft.Storage/storageAccounts/lightkeeper')
param captureIdentityId = readEnvironmentVariable('LIGHTKEEPER_CAPTURE_IDENTITY_ID', '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lightkeeper/providers/Microsoft.ManagedIdentity/userAssignedIdentities/lightkeeper-capture')
