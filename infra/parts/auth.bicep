// Entra ID before the app. The app believes who it is told that calls only because this stands there.
param appName string

@description('Client id of the application registered for callers.')
param clientId string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource auth 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_13: this very resource sets authentication; the check looks for another of its forms
  // checkov:skip=CKV_AZURE_63: of the configuration named web; Application Insights has the requests
  // checkov:skip=CKV_AZURE_65: of the configuration named web; errors are told by the app, without details of the machine
  // checkov:skip=CKV_AZURE_66: of the configuration named web; Application Insights has the requests
  // checkov:skip=CKV_AZURE_80: of the configuration named web; nothing here is .NET
  // checkov:skip=CKV_AZURE_88: of the configuration named web; what is stored is in blobs, tables and queues
  // checkov:skip=CKV_AZURE_222: public access is a property of the app (app.bicep), not of its authentication
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: ['/api/health']
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: ['api://${clientId}'] }
      }
    }
    // Twelve hours are a watch in a control room; then a page that is open says that it is signed out.
    login: {
      tokenStore: { enabled: false }
      cookieExpiration: { convention: 'FixedTime', timeToExpiration: '12:00:00' }
    }
    httpSettings: { requireHttps: true }
  }
}
