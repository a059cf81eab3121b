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

@description('Who is told of events that do not arrive; the action group of alerts.bicep.')
param actionGroupName string = 'ag-${replace(functionAppName, 'func-', '')}'

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${storageName}'
  location: location
  properties: { source: storage.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'lake-to-${function}'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.${function}&code=${listKeys('${app.id}/host/default', app.apiVersion).systemKeys.blobs_extension}'
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
  }
}

module alerts 'parts/alerts-events.bicep' = {
  name: 'alerts-events'
  params: { topicName: topic.name, actionGroupName: actionGroupName }
}
