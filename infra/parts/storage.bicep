// Everything that is stored: the lake, baselines, tables, queues, and the code. Only identities get in.
param name string
param location string
param tags object

@description('Copies of what is stored; fixed once the account is made.')
param redundancy string

@description('Whether there is no way to it but through the virtual network.')
param private bool

@description('Days for which deleted blobs and containers can be brought back.')
@minValue(1)
@maxValue(365)
param undeleteDays int

// What the app expects by its settings' defaults, the code, and the events that Event Grid gives up (events.bicep).
var containers = ['tsd', 'baselines', 'corrupt', 'app-package', 'events-dead']
var queues = [
  'critical-deviations'
  'critical-deviations-poison'
  'critical-deviations-given-up'
  'build-baselines'
  'build-baselines-poison'
  'build-baselines-given-up'
  'webjobs-blobtrigger-poison'
  'webjobs-blobtrigger-given-up'
]
var tables = ['registry', 'deviations', 'incidents', 'estimations', 'events', 'marks']

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_35: the app reaches it from addresses that are not ours, by identity alone; privateNetwork closes it
  // checkov:skip=CKV_AZURE_206: zone redundant in production; what is elsewhere can be fetched again from OMNIA
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: private ? 'Deny' : 'Allow' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // No versioning: a day's blob is written 144 times, and every state of it can be fetched from OMNIA again.
    deleteRetentionPolicy: { enabled: true, days: undeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: undeleteDays }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for one in containers: { parent: blobs, name: one, properties: { publicAccess: 'None' } }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for one in queues: { parent: queueService, name: one }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for one in tables: { parent: tableService, name: one }
]

// What is hardly read any more gets cheaper by itself; nothing of the lake is ever deleted.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-days-to-cool'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['tsd/'] }
            actions: { baseBlob: { tierToCool: { daysAfterModificationGreaterThan: 90 } } }
          }
        }
        {
          name: 'what-was-put-aside-goes'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['corrupt/', 'events-dead/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 180 } } }
          }
        }
      ]
    }
  }
}

output name string = account.name
