// Of the environment that was deployed (the outputs of main.bicep); azd gives them to connect-events.sh.
using 'events.bicep'

param functionAppName = readEnvironmentVariable('AZURE_FUNCTION_APP')
param storageName = readEnvironmentVariable('AZURE_STORAGE_ACCOUNT')
