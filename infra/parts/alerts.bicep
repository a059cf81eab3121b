// What somebody has to be told of, each with the page of docs/operations.md that says what to do.
param name string
param location string
param tags object
param insightsId string
param emails array

// A template that is behind, and the case that no run told of any.
var notIngested = '''
let told = traces
  | where message startswith "template ingested"
  | extend template = extract(@"template=(\S+)", 1, message), lag_s = extract(@"lag_s=(\d+)", 1, message, typeof(long))
  | summarize arg_max(timestamp, lag_s) by template;
union
  (told | where lag_s > 1800 | project template),
  (told | summarize templates = count() | where templates == 0 | project template = "every template")
'''

// A template whose day was written, and which nothing was scored of since: half an hour is more than Event Grid's first
// tries and a cold start. A run of detect says that it ended even where no sensor has a baseline yet.
var notScored = '''
let written = traces
  | where message startswith "template ingested"
  | extend template = extract(@"template=(\S+)", 1, message), blobs = extract(@"blobs_written=(\d+)", 1, message, typeof(long))
  | where blobs > 0 and timestamp < ago(30m)
  | summarize written = max(timestamp) by template;
let scored = traces
  | where message startswith "day scored"
  | extend template = extract(@"template=(\S+)", 1, message)
  | summarize scored = max(timestamp) by template;
written
| join kind=leftouter scored on template
| where isnull(scored) or scored < written
| project template
'''

// What ingest says of each template before it begins, every ten minutes, and once an hour where all is well: the newest
// line counts.
var watched = '''traces
| where message startswith "template watched"
| extend
    template = extract(@"template=(\S+)", 1, message),
    sensors = extract(@"sensors=(\d+)", 1, message, typeof(long)),
    watched = extract(@"watched=(\d+)", 1, message, typeof(long)),
    gaps = extract(@"gaps=(\d+)", 1, message, typeof(long)),
    sample_age_s = extract(@"sample_age_s=(\d+)", 1, message, typeof(long))
| summarize arg_max(timestamp, sensors, watched, gaps, sample_age_s) by template
'''

// Each template is looked after by a message of its own, at another time: two days are looked at. One that has not been
// watched for so long is not due yet, and one that is watched no more never is. What failed is given back for hours.
var noDailyRun = '''
let known = traces
  | where message startswith "template watched"
  | extend template = extract(@"template=(\S+)", 1, message)
  | summarize begun = min(timestamp), last = max(timestamp) by template;
let looked = traces
  | where message startswith "baselines looked after"
  | extend template = extract(@"template=(\S+)", 1, message)
  | summarize looked = max(timestamp) by template;
known
| join kind=leftouter looked on template
| where last > ago(2h) and begun < ago(30h) and (isnull(looked) or looked < ago(30h))
| project template
'''

// A backup that is too old is told once a day; one that nobody makes any more tells nothing.
var noBackup = '''
let begun = toscalar(traces | where message startswith "template ingested" | summarize min(timestamp));
union
  (traces | where message startswith "backup missing" | where timestamp > ago(26h) | project timestamp),
  (traces
    | where message startswith "backup made"
    | summarize made = max(timestamp)
    | where begun < ago(30h) and (isnull(made) or made < ago(30h))
    | project timestamp = now())
'''

// What an alert is about is a dimension: one that goes on hides no other, and the mail says which it is.
var byTemplate = { name: 'template', operator: 'Include', values: ['*'] }
var byIncident = { name: 'incident', operator: 'Include', values: ['*'] }
var byQueue = { name: 'queue', operator: 'Include', values: ['*'] }
var bySource = { name: 'source', operator: 'Include', values: ['*'] }
var byPlatform = { name: 'platform', operator: 'Include', values: ['*'] }
var byFunction = { name: 'name', operator: 'Include', values: ['*'] }

// key: the end of the rule's name, and the heading in docs/operations.md; severity: 0 critical to 3 information; raised
// when the query finds more rows than `most` of one kind.
var rules = [
  {
    key: 'critical-deviation'
    title: 'A template has a new incident'
    severity: 0
    query: 'traces | where message startswith "incident opened" | extend template = extract(@"template=(\\S+)", 1, message), incident = extract(@"incident=(\\S+)", 1, message)'
    by: [byTemplate, byIncident]
    most: 0
    window: 'PT15M' // lines come minutes late; an incident that is seen twice is still one alert
    every: 'PT5M'
  }
  {
    key: 'no-ingestion'
    title: 'Nothing was ingested for 30 minutes'
    severity: 1
    query: notIngested
    by: [byTemplate]
    most: 0
    window: 'PT30M'
    every: 'PT10M'
  }
  {
    key: 'not-scored'
    title: 'What was ingested is not scored'
    severity: 1
    query: notScored
    by: [byTemplate]
    most: 0
    window: 'PT1H' // a day that was written in the first half of it
    every: 'PT10M'
  }
  {
    key: 'no-samples'
    title: 'The source answers, but no sensor of a template has sent anything for six hours'
    severity: 1
    query: '${watched}| where sensors > 0 and (isnull(sample_age_s) or sample_age_s > 21600)'
    by: [byTemplate]
    most: 0
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'not-watched'
    title: 'Sensors of a template, or its sea, are not watched'
    severity: 2
    query: '${watched}| where sensors == 0 or gaps > 0'
    by: [byTemplate]
    most: 0
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'unreadable-platform'
    title: 'A platform is registered, and cannot be read: nothing of it is watched'
    severity: 1
    query: 'traces | where message startswith "platform unreadable" | extend platform = extract(@"platform=(\\S+)", 1, message)'
    by: [byPlatform]
    most: 0
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    key: 'no-daily-run'
    title: 'Baselines of a template were not looked after for a day'
    severity: 2
    query: noDailyRun
    by: [byTemplate]
    most: 0
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'no-backup'
    title: 'Nothing was backed up for a day'
    severity: 1
    query: noBackup
    by: []
    most: 0
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'old-messages'
    title: 'Work has been waiting on a queue for more than an hour'
    severity: 2
    query: 'traces | where message startswith "queue waits" | extend queue = extract(@"queue=(\\S+)", 1, message), age_s = extract(@"age_s=(\\d+)", 1, message, typeof(long)) | where age_s > 3600'
    by: [byQueue]
    most: 1 // two of the three runs in the window: what was given back shows for the first time when it is old
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'poison-message'
    title: 'Work failed for good and waits for a person'
    severity: 1
    query: 'traces | where message startswith "poison message" | extend queue = extract(@"queue=(\\S+)", 1, message)'
    by: [byQueue]
    most: 0
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    key: 'failed-runs'
    title: 'Runs fail again and again'
    severity: 2
    query: 'requests | where success == false and name in ("ingest", "detect", "estimate", "baselines", "baselines_after_backfill", "notify", "performance", "keep", "ingest_templates") | summarize runs = sum(itemCount) by name | where runs > iff(name in ("baselines", "keep"), 0, 2)' // they run once a day or an hour, ingest three times in the window
    by: [byFunction]
    most: 0
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'omnia-errors'
    title: 'OMNIA does not answer as it should'
    severity: 2
    query: 'traces | where message startswith "OMNIA failed" | extend template = extract(@"template=(\\S+)", 1, message)'
    by: [byTemplate]
    most: 1 // two of the three runs in the window
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'source-errors'
    title: 'Another source than OMNIA does not answer as it should'
    severity: 2
    query: 'traces | where message startswith "source failed" | extend source = extract(@"source=(\\S+)", 1, message), template = extract(@"template=(\\S+)", 1, message)'
    by: [bySource, byTemplate]
    most: 1
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    key: 'proof-test-failed'
    title: 'A leak that is promised to be found was not found by a proof test'
    severity: 1
    query: 'traces | where message startswith "proof test failed" | extend template = extract(@"template=(\\S+)", 1, message)'
    by: [byTemplate]
    most: 0
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    key: 'telemetry-cap'
    title: 'No telemetry is taken until tomorrow: other alerts are blind'
    severity: 1
    query: '_LogOperation | where Category =~ "Ingestion" and Detail contains "OverQuota"' // itself never capped
    by: []
    most: 0
    window: 'PT1H'
    every: 'PT15M'
  }
]

// Where the cap is told of; the application's own tables do not know it.
resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: 'log-${name}'
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'leaks'
    enabled: true
    emailReceivers: [
      for (address, index) in emails: { name: 'mail-${index}', emailAddress: address, useCommonAlertSchema: true }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for one in rules: {
    name: 'alert-${name}-${one.key}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: one.title
      description: 'docs/operations.md#${one.key}'
      severity: one.severity
      enabled: true
      scopes: [one.key == 'telemetry-cap' ? workspace.id : insightsId]
      evaluationFrequency: one.every
      windowSize: one.window
      overrideQueryTimeRange: contains(['no-daily-run', 'no-backup'], one.key) ? 'P2D' : one.window
      criteria: {
        allOf: [
          {
            query: one.query
            timeAggregation: 'Count'
            dimensions: one.by
            operator: 'GreaterThan'
            threshold: one.most
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      skipQueryValidation: true // at the first deployment nothing was told yet; tests know what the queries look for
      actions: { actionGroups: [people.id] }
    }
  }
]
