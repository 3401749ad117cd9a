// Lets the provider watch every subscription below a management group, those to come included.
//
//   az deployment mg create --management-group-id <group> --location <region> --template-file onboarding.bicep
//
// It makes two policies, assigns them, and has them put right what exists already:
//   1. "Azure Log Ingest" delegates each subscription to the provider through Azure Lighthouse;
//   2. "Automation Resource Group" makes the resource group in which the provider keeps its export of alerts.
// Who runs it needs Owner on the management group. docs/onboard-customer.md explains every part.

targetScope = 'managementGroup'

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

@description('IDs of subscriptions and management groups to be left alone: /subscriptions/<id>, /providers/Microsoft.Management/managementGroups/<name>.')
param excluded string[] = []

@description('Where the policies\' identities and the automation resource groups are.')
param location string = deployment().location

@description('Names the remediations: each deployment starts its own, so that running it again puts right what is left.')
param started string = utcNow('yyyyMMddHHmmss')

// Another role or identity is another version, and with it another ID, so that every subscription gets the new offer.
var version = uniqueString(providerTenantId, principalId, string(roles))
var offerId = guid(brand, version)
var offerName = '${brand} - Azure Log Ingest (${version})'
var automationGroup = '${brand}Automation'

// Names of policy assignments have at most 24 characters.
var suffix = uniqueString(managementGroup().id, brand, providerTenantId)

// Only Owner may write delegations, and only the policies' own identities are given these roles.
var owner = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'

var isSubscription = {
  field: 'type'
  equals: 'Microsoft.Resources/subscriptions'
}

var subscriptionTemplate = {
  '$schema': 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#'
  contentVersion: '1.0.0.0'
}

// Evaluated when the policy deploys to a subscription, not now.
var definitionInSubscription = '[subscriptionResourceId(\'Microsoft.ManagedServices/registrationDefinitions\', \'${offerId}\')]'

var delegation = {
  resources: [
    {
      type: 'Microsoft.ManagedServices/registrationDefinitions'
      apiVersion: '2022-10-01'
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
    {
      type: 'Microsoft.ManagedServices/registrationAssignments'
      apiVersion: '2022-10-01'
      name: offerId
      dependsOn: [definitionInSubscription]
      properties: {
        registrationDefinitionId: definitionInSubscription
      }
    }
  ]
}

var group = {
  resources: [
    {
      type: 'Microsoft.Resources/resourceGroups'
      apiVersion: '2024-11-01'
      name: automationGroup
      location: location
    }
  ]
}

resource logIngestPolicy 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'log-ingest-${suffix}'
  properties: {
    displayName: '${brand} Azure Log Ingest'
    description: 'Delegates subscriptions to ${brand} through Azure Lighthouse (${version}).'
    policyType: 'Custom'
    mode: 'All'
    metadata: {
      category: 'Lighthouse'
      version: version
    }
    policyRule: {
      if: isSubscription
      then: {
        effect: 'deployIfNotExists'
        details: {
          type: 'Microsoft.ManagedServices/registrationAssignments'
          deploymentScope: 'subscription'
          existenceScope: 'subscription'
          existenceCondition: {
            field: 'Microsoft.ManagedServices/registrationAssignments/registrationDefinitionId'
            like: '*/registrationDefinitions/${offerId}'
          }
          roleDefinitionIds: ['/providers/Microsoft.Authorization/roleDefinitions/${owner}']
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              template: union(subscriptionTemplate, delegation)
            }
          }
        }
      }
    }
  }
}

resource automationPolicy 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'automation-${suffix}'
  properties: {
    displayName: '${brand} Automation Resource Group'
    description: 'Makes the resource group ${automationGroup}, in which ${brand} keeps its export of Defender for Cloud alerts.'
    policyType: 'Custom'
    mode: 'All'
    metadata: {
      category: 'Lighthouse'
      version: version
    }
    policyRule: {
      if: isSubscription
      then: {
        effect: 'deployIfNotExists'
        details: {
          type: 'Microsoft.Resources/subscriptions/resourceGroups'
          name: automationGroup
          deploymentScope: 'subscription'
          existenceScope: 'subscription'
          existenceCondition: {
            field: 'name'
            equals: automationGroup
          }
          roleDefinitionIds: ['/providers/Microsoft.Authorization/roleDefinitions/${contributor}']
          deployment: {
            location: location
            properties: {
              mode: 'incremental'
              template: union(subscriptionTemplate, group)
            }
          }
        }
      }
    }
  }
}

resource logIngest 'Microsoft.Authorization/policyAssignments@2025-03-01' = {
  name: 'log-ingest-${suffix}'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    displayName: logIngestPolicy.properties.displayName
    policyDefinitionId: logIngestPolicy.id
    notScopes: excluded
  }
}

resource automation 'Microsoft.Authorization/policyAssignments@2025-03-01' = {
  name: 'automation-${suffix}'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    displayName: automationPolicy.properties.displayName
    policyDefinitionId: automationPolicy.id
    notScopes: excluded
  }
}

resource logIngestRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, logIngest.name, owner)
  properties: {
    principalId: logIngest.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', owner)
  }
}

resource automationRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, automation.name, contributor)
  properties: {
    principalId: automation.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}

// What exists already and has been evaluated, which takes Azure some minutes after the assignment: a second deployment
// finds what the first one came too early for. The default would stop after 500 subscriptions.
resource logIngestRemediation 'Microsoft.PolicyInsights/remediations@2021-10-01' = {
  name: 'log-ingest-${started}'
  properties: {
    policyAssignmentId: logIngest.id
    resourceDiscoveryMode: 'ExistingNonCompliant'
    resourceCount: 50000
    parallelDeployments: 30
  }
  dependsOn: [logIngestRole]
}

resource automationRemediation 'Microsoft.PolicyInsights/remediations@2021-10-01' = {
  name: 'automation-${started}'
  properties: {
    policyAssignmentId: automation.id
    resourceDiscoveryMode: 'ExistingNonCompliant'
    resourceCount: 50000
    parallelDeployments: 30
  }
  dependsOn: [automationRole]
}

output offer string = offerName
output logIngestAssignmentId string = logIngest.id
output automationAssignmentId string = automation.id
