// The plan and the app. Flex Consumption knows its runtime from functionAppConfig: the settings that older plans take
// (FUNCTIONS_WORKER_RUNTIME, FUNCTIONS_EXTENSION_VERSION, ...) must not be there.
param name string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param insightsConnectionString string
param instanceMemoryMB int
param maximumInstanceCount int

@description('Subnet of the app; empty: none.')
param subnetId string

@allowed(['keys', 'entra'])
param httpAuth string

@description('Further settings of the app by name.')
param settings object

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

var requestsAtOnce = 16 // of one instance; python -m bench.api measures what so many readers wait

var platformSettings = {
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AzureWebJobsDisableHomepage: 'true'
  PYTHON_THREADPOOL_THREAD_COUNT: string(requestsAtOnce) // as many as the platform hands over
  OPENBLAS_NUM_THREADS: '1' // the same data give the same estimation to the last bit
  INGEST_SCHEDULE: '20 */10 * * * *'
  BASELINES_SCHEDULE: '0 20 3 * * *'
  LAKE_TRIGGER: 'queue' // of Event Grid's events (events.bicep): Flex Consumption does not poll
  HTTP__AUTH: httpAuth
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: not every region of Flex Consumption has zones; lake and queues outlive one, and work is repeated
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_222: control rooms open its pages; function keys or Entra ID stand before it
  // checkov:skip=CKV_AZURE_17: callers are people with browsers, known by Entra ID, not by certificates
  // checkov:skip=CKV_AZURE_212: Flex Consumption scales by what there is to do, from nothing
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP, and does not take ftpsState
  // checkov:skip=CKV_AZURE_213: Flex Consumption replaces instances by itself; /api/health tells how the data flow
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // One page asks for a dozen things at once. The default for Python is 1 an instance, so that each would start one.
        triggers: { http: { perInstanceConcurrency: requestsAtOnce } }
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}app-package'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
    }
  }

  resource appsettings 'config' = {
    // checkov:skip=CKV_AZURE_13: of the configuration named authsettingsV2 (auth.bicep)
    // checkov:skip=CKV_AZURE_63: of the configuration named web; Application Insights has the requests
    // checkov:skip=CKV_AZURE_65: of the configuration named web; errors are told by the app, without details of the machine
    // checkov:skip=CKV_AZURE_66: of the configuration named web; Application Insights has the requests
    // checkov:skip=CKV_AZURE_80: of the configuration named web; nothing here is .NET
    // checkov:skip=CKV_AZURE_88: of the configuration named web; what is stored is in blobs, tables and queues
    // checkov:skip=CKV_AZURE_222: public access is a property of the app, not of its settings
    name: 'appsettings'
    properties: union(platformSettings, { HTTP__BASE_URL: 'https://${app.properties.defaultHostName}' }, settings)
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output uri string = 'https://${app.properties.defaultHostName}'
