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

@description('Days for which nobody can change or remove a backup; 0: no such policy.')
@minValue(0)
@maxValue(146000)
param backupImmutableDays int

@description('Days after which backups go; months of the journal that are over stay.')
@minValue(1)
param backupDays int

@description('Whether the account cannot be deleted while a lock is on it.')
param locked bool

// What the app expects by its settings' defaults, the code, and the events that Event Grid gives up (events.bicep).
var containers = ['tsd', 'baselines', 'corrupt', 'app-package', 'events-dead', 'backup']
var queues = [
  'critical-deviations'
  'critical-deviations-poison'
  'critical-deviations-given-up'
  'build-baselines'
  'build-baselines-poison'
  'build-baselines-given-up'
  'notifications'
  'notifications-poison'
  'notifications-given-up'
  'performance-statements'
  'performance-statements-poison'
  'performance-statements-given-up'
  'ingest-templates'
  'ingest-templates-poison'
  'ingest-templates-given-up'
  'lake-events'
  'lake-events-poison'
  'lake-events-given-up'
  'webjobs-blobtrigger-poison'
  'webjobs-blobtrigger-given-up'
]
var tables = [
  'registry'
  'deviations'
  'incidents'
  'estimations'
  'events'
  'marks'
  'journal'
  'alarms'
  'suppressions'
  'statements'
]
// What proof tests keep apart from what is real: the same, but its own.
var proofTables = [for one in tables: 'proof${one}']
var proofContainers = ['proof-baselines', 'proof-corrupt']

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
  for one in concat(containers, proofContainers): { parent: blobs, name: one, properties: { publicAccess: 'None' } }
]

// Not locked: who may write policies can still take it away, and `az storage container immutability-policy lock` is for
// good. Parts are written once and never over, so the app does not notice it.
resource immutable 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (backupImmutableDays > 0) {
  name: '${name}/default/backup/default'
  properties: { immutabilityPeriodSinceCreationInDays: backupImmutableDays, allowProtectedAppendWrites: false }
  dependsOn: [container]
}

// Deployments go on; `azd down` and every other deletion of the account, or of what is in it by the portal, is refused.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  scope: account
  name: 'lock-${name}'
  properties: { level: 'CanNotDelete', notes: 'It holds what nothing can derive: docs/backup.md.' }
}

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
  for one in concat(tables, proofTables, ['prooftests']): { parent: tableService, name: one }
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
          name: 'old-backups-go' // not backup/journal/, which every later backup names
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['backup/days/', 'backup/manifests/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: backupDays } } }
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
output locked bool = locked
