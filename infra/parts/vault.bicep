// For the secrets that there may be: a service principal's, where OMNIA does not know the app's own identity; the address
// that alarms are sent to, which is often a key by itself, and the secret that goes with it. The vault is made empty. A
// person puts them in, so that they are in no file, no parameter and no deployment's history.
param name string
param location string
param tags object

@description('The identity that reads the secrets.')
param readerPrincipalId string

@description('Who puts the secrets in, and changes them; empty: those who have the role already.')
param keeperPrincipalId string = ''

param purgeProtection bool

@description('Days for which the deleted vault can be brought back; fixed once it is made.')
param undeleteDays int

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_42: soft delete is on; purge protection is on in production, elsewhere it would only bind names
  // checkov:skip=CKV_AZURE_110: purge protection is on in production, elsewhere it would only bind names
  // checkov:skip=CKV_AZURE_109: people put secrets in from where they are; roles decide who may, not addresses
  // checkov:skip=CKV_AZURE_189: the same; the platform itself reads them from addresses that are not ours
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: undeleteDays
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, readerPrincipalId, secretsUser)
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource keeper 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(keeperPrincipalId)) {
  scope: vault
  name: guid(vault.id, keeperPrincipalId, secretsOfficer)
  properties: {
    principalId: keeperPrincipalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

output name string = vault.name

// Without a version: the app takes up a new one by itself within a day.
output omniaSecretUri string = '${vault.properties.vaultUri}secrets/omnia-client-secret'
output notifyUrlUri string = '${vault.properties.vaultUri}secrets/notify-webhook-url'
output notifySecretUri string = '${vault.properties.vaultUri}secrets/notify-secret'
