// One environment of the app, from an empty subscription: a resource group with everything that it needs.
// Deploy with `azd up`, or with `az deployment sub create` (docs/deployment.md).
targetScope = 'subscription'

@description('Short name of the environment, of a-z, 0-9 and hyphens; names of resources are made of it.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Where it runs. Flex Consumption is not everywhere: `az functionapp list-flexconsumption-locations`.')
param location string

@description('What it is for, for as long as it lives: more instances, more zones and longer retention in production.')
@allowed(['dev', 'test', 'prod'])
param stage string = 'dev'

// A string, because int() of an environment variable is any int to the compiler. 512 MB is not offered: the worker needs
// 0.6 GB in a backfill, and the platform's host 0.25 GB beside it.
@description('Memory of an instance [MB].')
@allowed(['2048', '4096'])
param instanceMemoryMB string = '2048'

@description('At most so many instances of each function group (HTTP, blobs, and each other function) at once, not of the app; 0: 100 in production, 40 elsewhere.')
@minValue(0)
@maxValue(1000)
param maximumInstanceCount int = 0

@description('Address of the OMNIA Timeseries API, with its version.')
param omniaBaseUrl string

@description('Entra resource that OMNIA tokens are for; empty: the one that the app knows (production).')
param omniaResource string = ''

@description('Client id of a service principal that may read OMNIA; empty: the app\'s own managed identity may.')
param omniaClientId string = ''

@description('What is sent of alarms to the webhook whose address is in Key Vault; empty: nothing is sent.')
@allowed(['', 'plain', 'teams', 'pagerduty'])
param notifyFormat string = ''

@description('Object id of who puts secrets into Key Vault; empty: who may already.')
param keeperPrincipalId string = ''

@description('Any other setting of docs/settings.md by its name; what is not here has its default.')
param appSettings object = {}

@description('How callers are known: function keys, or Entra ID in front of the app.')
@allowed(['keys', 'entra'])
param httpAuth string = 'keys'

@description('Client id of the application registered for callers (httpAuth entra).')
param authClientId string = ''

@description('Origins whose pages may call the API.')
param corsOrigins array = []

@description('Where alerts go; empty: alerts are raised, and nobody is told.')
param alertEmails array = []

@description('Whether storage and app talk in a virtual network of their own, storage having no public address.')
param privateNetwork bool = false

@description('Whether Key Vault and what is deleted from storage can be purged before their time (never in production).')
param purgeable bool = stage != 'prod'

@description('What a month may cost before people are told, in the currency of the bill; 0: 200 in production, 100 elsewhere.')
@minValue(0)
param budgetAmount int = 0

@description('First of the month of the first deployment (2026-11-01), and the same from then on; empty: no budget.')
param budgetStart string = ''

@description('Copies of what is stored, fixed once storage is made; empty: over zones in production, else in one.')
@allowed(['', 'Standard_LRS', 'Standard_ZRS'])
param storageRedundancy string = ''

@description('Days for which a deleted vault comes back, 7 to 90, fixed once it is made; 0: 90 in production, else 7.')
@minValue(0)
@maxValue(90)
param vaultUndeleteDays int = 0

@description('Whether a lock keeps storage from being deleted; empty: in production.')
@allowed(['', 'true', 'false'])
param lockStorage string = ''

@description('Days for which nobody can change or remove a backup; 0: 30 in production, none elsewhere.')
@minValue(0)
@maxValue(146000)
param backupImmutableDays int = 0

@description('Days after which backups go.')
@minValue(2)
param backupDays int = 400

// What Azure would refuse half-way, or take and be useless. The resource group's name is made of the answer, so that it
// is refused before anything is made.
var letters = map(range(0, length(environmentName)), index => substring(environmentName, index, 1))
var strange = filter(letters, letter => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', letter))
var refusals = concat(
  empty(strange) ? [] : ['AZURE_ENV_NAME is ${environmentName}: only a-z, 0-9 and hyphens make names of resources'],
  httpAuth == 'entra' && empty(authClientId)
    ? ['LEAK_HTTP_AUTH is entra: LEAK_AUTH_CLIENT_ID must name its application']
    : [],
  contains(range(1, 6), vaultUndeleteDays)
    ? ['LEAK_VAULT_UNDELETE_DAYS is ${vaultUndeleteDays}: Key Vault takes 7 to 90']
    : []
)
var name = empty(refusals) ? environmentName : fail(join(refusals, '; '))

var tags = { 'azd-env-name': name, app: 'subsea-leak-detection', stage: stage }
var token = take(uniqueString(subscription().id, name, location), 8)
var base = 'leak-${name}-${token}'
var secretOmnia = !empty(omniaClientId)
var notify = !empty(notifyFormat)
var secrets = secretOmnia || notify

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-leak-${name}'
  location: location
  tags: tags
}

module identity 'parts/identity.bicep' = {
  scope: group
  name: 'identity'
  params: { name: 'id-${base}', location: location, tags: tags }
}

module network 'parts/network.bicep' = if (privateNetwork) {
  scope: group
  name: 'network'
  params: { name: 'vnet-${base}', location: location, tags: tags }
}

module storage 'parts/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'stleak${toLower(take(replace(name, '-', ''), 8))}${token}'
    location: location
    tags: tags
    redundancy: !empty(storageRedundancy) ? storageRedundancy : (stage == 'prod' ? 'Standard_ZRS' : 'Standard_LRS')
    private: privateNetwork
    backupImmutableDays: backupImmutableDays > 0 ? backupImmutableDays : (stage == 'prod' ? 30 : 0)
    backupDays: backupDays
    locked: empty(lockStorage) ? stage == 'prod' : lockStorage == 'true'
    undeleteDays: purgeable ? 1 : 14 // every overwrite of a day is kept so long: bench.cost says what that takes
  }
}

module events 'parts/events.bicep' = {
  scope: group
  name: 'events'
  params: { storageName: storage.outputs.name, location: location, tags: tags }
}

module endpoints 'parts/endpoints.bicep' = if (privateNetwork) {
  scope: group
  name: 'endpoints'
  params: {
    storageName: storage.outputs.name
    networkName: network!.outputs.name
    location: location
    tags: tags
  }
}

module monitoring 'parts/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    name: base
    location: location
    tags: tags
    retentionDays: stage == 'prod' ? 90 : 30
    dailyQuotaGb: stage == 'prod' ? 5 : 1
  }
}

module vault 'parts/vault.bicep' = if (secrets) {
  scope: group
  name: 'vault'
  params: {
    name: 'kv-leak-${token}'
    location: location
    tags: tags
    readerPrincipalId: identity.outputs.principalId
    keeperPrincipalId: keeperPrincipalId
    purgeProtection: !purgeable
    undeleteDays: vaultUndeleteDays > 0 ? vaultUndeleteDays : (purgeable ? 7 : 90)
  }
}

module roles 'parts/roles.bicep' = {
  scope: group
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

var omniaSettings = {
  OMNIA__BASE_URL: omniaBaseUrl
  HTTP__CORS_ORIGINS: string(corsOrigins)
}
var omniaResourceSettings = empty(omniaResource) ? {} : { OMNIA__RESOURCE: omniaResource }
var omniaSecretSettings = {
  OMNIA__TENANT_ID: tenant().tenantId
  OMNIA__CLIENT_ID: omniaClientId
  OMNIA__CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${vault!.outputs.omniaSecretUri})'
}
// A card of Teams is not signed: its address is its secret.
var notifyAddressSettings = {
  NOTIFY__FORMAT: notifyFormat
  NOTIFY__WEBHOOK_URL: '@Microsoft.KeyVault(SecretUri=${vault!.outputs.notifyUrlUri})'
}
var notifySecretSettings = {
  NOTIFY__SECRET: '@Microsoft.KeyVault(SecretUri=${vault!.outputs.notifySecretUri})'
}
var notifySettings = !notify
  ? {}
  : notifyFormat == 'teams' ? notifyAddressSettings : union(notifyAddressSettings, notifySecretSettings)

module app 'parts/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: 'func-${base}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    insightsConnectionString: monitoring.outputs.connectionString
    instanceMemoryMB: int(instanceMemoryMB)
    maximumInstanceCount: maximumInstanceCount > 0 ? maximumInstanceCount : (stage == 'prod' ? 100 : 40)
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    httpAuth: httpAuth
    settings: union(
      omniaSettings,
      omniaResourceSettings,
      secretOmnia ? omniaSecretSettings : {},
      notifySettings,
      appSettings
    )
  }
  dependsOn: [roles, endpoints]
}

module auth 'parts/auth.bicep' = if (httpAuth == 'entra') {
  scope: group
  name: 'auth'
  params: { appName: app.outputs.name, clientId: authClientId }
}

module alerts 'parts/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    name: base
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    emails: alertEmails
  }
}

module eventAlerts 'parts/alerts-events.bicep' = {
  scope: group
  name: 'alerts-events'
  params: { topicName: events.outputs.topicName, actionGroupName: 'ag-${base}', tags: tags }
  dependsOn: [alerts]
}

module workbook 'parts/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: { location: location, tags: tags, insightsId: monitoring.outputs.insightsId }
}

module budget 'parts/budget.bicep' = if (!empty(budgetStart)) {
  scope: group
  name: 'budget'
  params: {
    name: base
    amount: budgetAmount > 0 ? budgetAmount : (stage == 'prod' ? 200 : 100)
    start: budgetStart
  }
  dependsOn: [alerts]
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = app.outputs.name
output AZURE_STORAGE_ACCOUNT string = storage.outputs.name
output AZURE_STORAGE_LOCKED string = storage.outputs.locked ? 'true' : 'false'
output AZURE_KEY_VAULT string = secrets ? vault!.outputs.name : ''
output SERVICE_APP_URI string = app.outputs.uri
