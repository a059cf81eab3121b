// The lake's events: storage tells Event Grid what was written, which puts it on a queue that `detect` takes from. Nobody
// has to be let into the app for it, so it is there before the code is.
param storageName string
param location string
param tags object

@description('The container of the lake.')
param container string = 'tsd'

@description('The queue of the lake\'s events (storage.bicep).')
param queueName string = 'lake-events'

@description('The container for events that are given up (storage.bicep).')
param deadContainer string = 'events-dead'

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource dead 'containers' existing = {
      name: deadContainer
    }
  }

  resource queues 'queueServices' existing = {
    name: 'default'

    resource told 'queues' existing = {
      name: queueName
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${storageName}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: storage.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

// Storage takes no keys: Event Grid writes as the topic's own identity, and gets in as a trusted service where storage
// has no public address (networkAcls.bypass in storage.bicep).
var queueDataMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource mayTell 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage::queues::told
  name: guid(storage::queues::told.id, topic.id, queueDataMessageSender)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataMessageSender)
  }
}

resource mayPutAside 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage::blobs::dead
  name: guid(storage::blobs::dead.id, topic.id, blobDataContributor)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'lake-to-detect' // as it always was: what an older release connected to the app is replaced
  properties: {
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: { resourceId: storage.id, queueName: queueName, queueMessageTimeToLiveInSeconds: 604800 }
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
  dependsOn: [mayTell, mayPutAside]
}

output topicName string = topic.name
