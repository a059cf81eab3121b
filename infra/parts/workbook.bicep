// The page of the people who run it, in the portal: what came in, what was found, what failed, what one run led to.
param location string
param tags object
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insightsId, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Subsea leak detection'
    category: 'workbook'
    sourceId: insightsId
    version: 'Notebook/1.0'
    serializedData: loadTextContent('workbook.json')
  }
}
