// What somebody has to be told of the way from the lake to its queue: Event Grid counts what it could not put there.
// Metrics do not end with the telemetry of a day. Each has its page in docs/operations.md, as in alerts.bicep.
param topicName string
param actionGroupName string
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: actionGroupName
}

// Raised when there are more than `most` in half an hour.
var rules = [
  {
    key: 'events-delayed'
    title: 'Blob events do not reach their queue, and are tried again'
    severity: 2
    metric: 'DeliveryAttemptFailCount'
    most: 3 // the first ones, until the topic's roles are known everywhere
  }
  {
    key: 'events-dropped'
    title: 'Blob events were given up: days are not scored'
    severity: 1
    metric: 'DroppedEventCount'
    most: 0
  }
  {
    key: 'events-dead-lettered'
    title: 'Blob events were put aside: days are not scored'
    severity: 1
    metric: 'DeadLetteredCount'
    most: 0
  }
]

resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for one in rules: {
    name: 'alert-${topicName}-${one.key}'
    location: 'global'
    tags: tags
    properties: {
      description: '${one.title}: docs/operations.md#${one.key}'
      severity: one.severity
      enabled: true
      scopes: [topic.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT30M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'events'
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: one.metric
            operator: 'GreaterThan'
            threshold: one.most
            timeAggregation: 'Total'
          }
        ]
      }
      autoMitigate: true
      actions: [{ actionGroupId: people.id }]
    }
  }
]
