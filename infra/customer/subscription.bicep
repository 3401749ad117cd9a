// Lets the provider watch one subscription, without any policy.
//
//   az deployment sub create --subscription <id> --location <region> --template-file subscription.bicep
//
// It delegates the subscription through Azure Lighthouse and makes the resource group in which the provider keeps its
// export of alerts. Who runs it needs Owner on the subscription. docs/onboard-customer.md explains every part.

targetScope = 'subscription'

@description('Entra tenant of the provider.')
param providerTenantId string

@description('Object ID of the provider\'s identity that is given the roles.')
param principalId string

@description('The provider\'s name, with which the names of all objects begin.')
param brand string = 'Lightkeeper'

@description('Built-in roles that the identity is given: what each is for, and what it cannot do, is in docs/permissions.md.')
param roles string[] = [
  'acdd72a7-3385-48ef-bd42-f606fba81ae7' // Reader
  '92aaf0da-9dab-42b6-94a3-d43ce8d16293' // Log Analytics Contributor
  'fb1c8493-542b-48eb-b624-b4c8fea62acd' // Security Admin
]

@description('Where the automation resource group is.')
param location string = deployment().location

// The same version and ID as in onboarding.bicep: a policy that comes later finds the subscription delegated.
var version = uniqueString(providerTenantId, principalId, string(roles))
var offerId = guid(brand, version)
var offerName = '${brand} - Azure Log Ingest (${version})'

resource definition 'Microsoft.ManagedServices/registrationDefinitions@2022-10-01' = {
  name: offerId
  properties: {
    registrationDefinitionName: offerName
    description: 'Reads the activity log, resource logs and alerts, and keeps their export switched on.'
    managedByTenantId: providerTenantId
    authorizations: map(roles, role => {
      principalId: principalId
      principalIdDisplayName: brand
      roleDefinitionId: role
    })
  }
}

resource assignment 'Microsoft.ManagedServices/registrationAssignments@2022-10-01' = {
  name: offerId
  properties: {
    registrationDefinitionId: definition.id
  }
}

resource automationGroup 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${brand}Automation'
  location: location
}

output offer string = offerName
output delegation string = assignment.id
