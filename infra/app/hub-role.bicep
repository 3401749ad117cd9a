// A role of our own for the resource group of the namespaces, because no built-in one is as small:
// Contributor may do anything in the group, Azure Event Hubs Data Owner may read what customers send.

param principalId string

resource keeper 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'event-hubs-keeper')
  properties: {
    roleName: 'Lightkeeper Event Hubs Keeper (${resourceGroup().name})'
    description: 'Makes namespaces, event hubs and their rules. Can neither send nor receive, nor delete a namespace.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Authorization/roleDefinitions/read'
          'Microsoft.EventHub/*/read'
          'Microsoft.EventHub/namespaces/write'
          'Microsoft.EventHub/namespaces/authorizationRules/write'
          'Microsoft.EventHub/namespaces/authorizationRules/listKeys/action'
          'Microsoft.EventHub/namespaces/eventhubs/*' // export rules ask for more than writing a hub
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, keeper.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: keeper.id
  }
}
