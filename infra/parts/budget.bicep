// What bounds the bill: people are told when a month costs, or will cost, more than was meant. Nothing is switched off.
param name string

@description('What a month may cost, in the currency of the subscription\'s bill.')
param amount int

@description('First of the month of the first deployment (2026-11-01). Azure takes no earlier one, and lets none be changed.')
param start string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: 'ag-${name}'
}

var told = { enabled: true, operator: 'GreaterThanOrEqualTo', contactEmails: [], contactGroups: [people.id] }

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'budget-${name}'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      half: union(told, { threshold: 50, thresholdType: 'Actual' })
      forecast: union(told, { threshold: 100, thresholdType: 'Forecasted' })
      all: union(told, { threshold: 100, thresholdType: 'Actual' })
    }
  }
}
