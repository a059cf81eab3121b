// What differs between environments, from environment variables: azd gives the first two, and everything that was set
// with `azd env set NAME value`. What is empty has the default of main.bicep.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param stage = readEnvironmentVariable('LEAK_STAGE', 'dev')
param instanceMemoryMB = readEnvironmentVariable('LEAK_MEMORY_MB', '2048')
param maximumInstanceCount = int(readEnvironmentVariable('LEAK_MAX_INSTANCES', '0'))
param omniaBaseUrl = readEnvironmentVariable('OMNIA_BASE_URL')
param omniaResource = readEnvironmentVariable('OMNIA_RESOURCE', '')
param omniaClientId = readEnvironmentVariable('OMNIA_CLIENT_ID', '')
param notifyFormat = readEnvironmentVariable('LEAK_NOTIFY_FORMAT', '')
param keeperPrincipalId = readEnvironmentVariable('LEAK_SECRET_KEEPER_ID', '')
param httpAuth = readEnvironmentVariable('LEAK_HTTP_AUTH', 'keys')
param authClientId = readEnvironmentVariable('LEAK_AUTH_CLIENT_ID', '')
param corsOrigins = json(readEnvironmentVariable('LEAK_CORS_ORIGINS', '[]'))
param alertEmails = json(readEnvironmentVariable('LEAK_ALERT_EMAILS', '[]'))
param privateNetwork = bool(readEnvironmentVariable('LEAK_PRIVATE_NETWORK', 'false'))
param storageRedundancy = readEnvironmentVariable('LEAK_STORAGE_REDUNDANCY', '')
param vaultUndeleteDays = int(readEnvironmentVariable('LEAK_VAULT_UNDELETE_DAYS', '0'))
param lockStorage = readEnvironmentVariable('LEAK_LOCK_STORAGE', '')
param backupImmutableDays = int(readEnvironmentVariable('LEAK_BACKUP_IMMUTABLE_DAYS', '0'))
param backupDays = int(readEnvironmentVariable('LEAK_BACKUP_DAYS', '400'))
// The platform takes strings only: what is none is written as JSON writes it (string() knows no fractions, and says True).
var ownSettings = json(readEnvironmentVariable('LEAK_APP_SETTINGS', '{}'))
var ownInBrackets = mapValues(ownSettings, value => string([value]))
param appSettings = mapValues(
  ownInBrackets,
  text => startsWith(text, '["') ? json(text)[0] : substring(text, 1, max(length(text) - 2, 0))
)
param budgetAmount = int(readEnvironmentVariable('LEAK_BUDGET', '0'))
param budgetStart = readEnvironmentVariable('LEAK_BUDGET_START', '')
