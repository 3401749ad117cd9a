// What somebody should hear of. The queries read the app's own logs; docs/troubleshooting.md says what to do.

param location string
param tags object
param workspaceName string
param actionGroupName string

@description('Who gets the mail; the alerts show in the portal only if empty.')
param email string

param quietHours int
param systemTopicName string

// What every handled capture file says of itself; its path begins with namespace and customer.
var runs = 'AppTraces | where Message startswith "lightkeeper.run " | extend Run = parse_json(substring(Message, 16)) | where tostring(Run.source) endswith ".avro" | extend Customer = tostring(split(tostring(Run.source), "/")[1])'

var rules = [
  {
    name: 'poison-messages'
    title: 'Jobs or messages were given up'
    severity: 1
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppTraces | where Message startswith "problem raised reason=job_failed" or Message startswith "problem raised reason=malformed_message" or Message startswith "given up " or Message startswith "set aside a message"'
    mute: null
    dimensions: []
  }
  {
    name: 'problems-raised'
    title: 'New problems were raised'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppTraces | where Message startswith "problem raised " | parse Message with "problem raised reason=" Reason " " *'
    mute: null
    dimensions: ['Reason']
  }
  {
    name: 'customer-is-quiet'
    title: 'Nothing arrives from a customer any more'
    severity: 2
    every: 'PT1H'
    window: 'P2D'
    query: '${runs} | summarize Last = max(TimeGenerated) by Customer | where Last < ago(${quietHours}h)'
    mute: 'P1D'
    dimensions: ['Customer']
  }
  {
    name: 'entries-set-aside'
    title: 'Entries could not be read and were set aside'
    severity: 3
    every: 'PT1H'
    window: 'PT1H'
    query: '${runs} | where toint(Run.set_aside) > 0'
    mute: null
    dimensions: ['Customer']
  }
  {
    name: 'function-failures'
    title: 'Functions fail'
    severity: 2
    every: 'PT15M'
    window: 'PT15M'
    query: 'AppRequests | where Success == false | summarize Failures = count() by OperationName | where Failures > 10'
    mute: null
    dimensions: ['OperationName']
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'Lightkeeper'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'lightkeeper-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Lightkeeper: ${rule.title}'
      severity: rule.severity
      enabled: true
      scopes: [workspace.id]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: false
      muteActionsDuration: rule.mute
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: map(rule.dimensions, name => { name: name, operator: 'Include', values: ['*'] })
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [people.id]
      }
    }
  }
]

// Dead letters are capture files that nobody was told of: a sweep finds them, and somebody should ask why.
resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'lightkeeper-event-grid-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver events about capture files for a day.'
    severity: 2
    enabled: true
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}
