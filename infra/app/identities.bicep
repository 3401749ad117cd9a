// Two identities: the app's own, and the one with which Event Hubs Capture writes.

param location string
param tags object
param appName string
param captureName string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appName
  location: location
  tags: tags
}

resource capture 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: captureName
  location: location
  tags: tags
}

output appName string = app.name
output appPrincipalId string = app.properties.principalId
output captureName string = capture.name
output captureId string = capture.id
