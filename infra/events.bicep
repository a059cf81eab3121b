// Second phase, after the code was deployed: blob events of the lake reach `detect`. The key of its endpoint exists
// only once the app runs; it is asked for here, and never leaves the deployment.
@description('The app that was deployed.')
param functionAppName string

@description('The account whose container holds the lake.')
param storageName string

@description('The container of the lake.')
param container string = 'tsd'

@description('The function that blob events are for.')
param function string = 'detect'

param location string = resourceGroup().location

@description('The container for events that are given up (parts/storage.bicep).')
param deadContainer string = 'events-dead'

@description('Who is told of events that do not arrive; the action group of alerts.bicep.')
param actionGroupName string = 'ag-${replace(functionAppName, 'func-', '')}'

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource dead 'containers' existing = {
      name: deadContainer
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${storageName}'
  location: location
  identity: { type: 'SystemAssigned' }
  properties: { source: storage.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

// Storage takes no keys: Event Grid puts aside what it gives up as the topic's own identity, and gets in as a trusted
// service where storage has no public address (networkAcls.bypass in parts/storage.bicep).
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource mayPutAside 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage::blobs::dead
  name: guid(storage::blobs::dead.id, topic.id, blobDataContributor)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

var handler = 'Host.Functions.${function}' // by itself, so that it stands whole in the snapshot

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'lake-to-${function}'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=${handler}&code=${listKeys('${app.id}/host/default', app.apiVersion).systemKeys.blobs_extension}'
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/${container}/'
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: ['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose'] // whole blobs only, not their parts
        }
      ]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: storage.id, blobContainerName: deadContainer }
      }
    }
  }
  dependsOn: [mayPutAside]
}

module alerts 'parts/alerts-events.bicep' = {
  name: 'alerts-events'
  params: { topicName: topic.name, actionGroupName: actionGroupName }
}
