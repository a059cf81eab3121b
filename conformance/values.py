"""What Azure takes where the compiler takes anything: values of open types, and what Flex Consumption refuses.

Where the compiler (0.49) names a wrong value itself, there is no row. Sources, read 2026-11-25: the page of each type
in learn.microsoft.com/azure/templates; for the app learn.microsoft.com/azure/azure-functions/flex-consumption-plan
and functions-app-settings.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.check_result import CheckResult
from conformance.snapshots import (
    VARIANTS,
    Snapshot,
    faults_of_each,
    is_expression,
    short_name,
    snapshot_of,
    values_at,
)

MINUTES = {f"PT{minutes}M" for minutes in (1, 5, 10, 15, 30)}
ALERT = {
    "properties.severity": range(5),  # 0 critical to 4 verbose
    "properties.evaluationFrequency": MINUTES | {"PT1H"},
    "properties.windowSize": MINUTES | {f"PT{hours}H" for hours in (1, 6, 12)} | {"P1D"},
    "properties.criteria.allOf.timeAggregation": {"Average", "Count", "Maximum", "Minimum", "Total"},
    "properties.criteria.allOf.operator": {
        "Equals",
        "GreaterThan",
        "GreaterThanOrEqual",
        "LessThan",
        "LessThanOrEqual",
    },
}
ALLOWED: Mapping[str, Mapping[str, Collection[Any]]] = {
    "Microsoft.Web/serverfarms": {"kind": {"functionapp"}, "sku.tier": {"FlexConsumption"}, "sku.name": {"FC1"}},
    "Microsoft.Web/sites": {
        "kind": {"functionapp,linux"},
        "properties.functionAppConfig.runtime.name": {"python"},
        "properties.functionAppConfig.runtime.version": {"3.10", "3.11", "3.12", "3.13"},
        "properties.functionAppConfig.deployment.storage.type": {"blobContainer"},
        "properties.functionAppConfig.deployment.storage.authentication.type": {
            "SystemAssignedIdentity",
            "UserAssignedIdentity",
        },
        "properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB": {512, 2048, 4096},
        "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount": range(1, 1001),
        "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency": range(1, 1001),
        "properties.siteConfig.minTlsVersion": {"1.2", "1.3"},
    },
    "Microsoft.Web/sites/config authsettingsV2": {
        "properties.globalValidation.redirectToProvider": {"azureactivedirectory"},
    },
    "Microsoft.Storage/storageAccounts": {
        "kind": {"StorageV2"},
        "sku.name": {"Standard_LRS", "Standard_ZRS"},
        "properties.minimumTlsVersion": {"TLS1_2", "TLS1_3"},
        "properties.networkAcls.bypass": {"AzureServices", "None"},
    },
    "Microsoft.Storage/storageAccounts/managementPolicies": {
        "properties.policy.rules.type": {"Lifecycle"},
        "properties.policy.rules.definition.filters.blobTypes": {"blockBlob", "appendBlob"},
    },
    "Microsoft.OperationalInsights/workspaces": {
        "properties.sku.name": {"PerGB2018"},
        "properties.retentionInDays": range(30, 731),
    },
    "Microsoft.Insights/components": {"kind": {"web"}, "properties.Application_Type": {"web", "other"}},
    "Microsoft.Insights/scheduledQueryRules": {
        "kind": {"LogAlert"},
        "properties.criteria.allOf.dimensions.operator": {"Include", "Exclude"},
        **ALERT,
    },
    "Microsoft.Insights/metricAlerts": {
        "properties.criteria.allOf.criterionType": {"StaticThresholdCriterion"},
        "properties.criteria.allOf.metricNamespace": {"Microsoft.EventGrid/systemTopics"},
        "properties.criteria.allOf.metricName": {  # those of a system topic
            "DeadLetteredCount",
            "DeliveryAttemptFailCount",
            "DroppedEventCount",
            "MatchedEventCount",
            "PublishFailCount",
        },
        **ALERT,
    },
    "Microsoft.Authorization/roleAssignments": {"properties.principalType": {"Group", "ServicePrincipal", "User"}},
    "Microsoft.EventGrid/systemTopics": {"properties.topicType": {"Microsoft.Storage.StorageAccounts"}},
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": {
        "properties.eventDeliverySchema": {"EventGridSchema"},  # what shared/adapters/lake_events.py reads
        "properties.deliveryWithResourceIdentity.destination.endpointType": {"StorageQueue"},
        "properties.filter.includedEventTypes": {"Microsoft.Storage.BlobCreated"},
        "properties.retryPolicy.maxDeliveryAttempts": range(1, 31),
        "properties.retryPolicy.eventTimeToLiveInMinutes": range(1, 1441),
    },
    "Microsoft.Consumption/budgets": {
        "properties.category": {"Cost"},
        "properties.timeGrain": {"Monthly", "Quarterly", "Annually"},
        "properties.notifications.*.operator": {"EqualTo", "GreaterThan", "GreaterThanOrEqualTo"},
        "properties.notifications.*.threshold": range(1, 1001),
        "properties.notifications.*.thresholdType": {"Actual", "Forecasted"},
    },
    "Microsoft.KeyVault/vaults": {
        "properties.sku.family": {"A"},
        "properties.softDeleteRetentionInDays": range(7, 91),
        "properties.networkAcls.bypass": {"AzureServices", "None"},
    },
    "Microsoft.Network/virtualNetworks": {
        "properties.subnets.properties.delegations.properties.serviceName": {"Microsoft.App/environments"},  # Flex's
        "properties.subnets.properties.privateEndpointNetworkPolicies": {"Disabled", "Enabled"},
    },
    "Microsoft.Network/privateEndpoints": {
        "properties.privateLinkServiceConnections.properties.groupIds": {"blob", "queue", "table"}
    },
}
NOT_ON_FLEX: Mapping[str, Collection[str]] = {  # refused, or ignored; the runtime stands in functionAppConfig
    "Microsoft.Web/sites": {
        f"properties.siteConfig.{name}"
        for name in ("alwaysOn", "appSettings", "ftpsState", "linuxFxVersion", "pythonVersion", "use32BitWorkerProcess")
    },
    "Microsoft.Web/sites/config appsettings": {
        f"properties.{name}"
        for name in (
            "ENABLE_ORYX_BUILD",
            "FUNCTIONS_EXTENSION_VERSION",
            "FUNCTIONS_MAX_HTTP_CONCURRENCY",
            "FUNCTIONS_WORKER_PROCESS_COUNT",
            "FUNCTIONS_WORKER_RUNTIME",
            "FUNCTIONS_WORKER_RUNTIME_VERSION",
            "SCM_DO_BUILD_DURING_DEPLOYMENT",
            "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
            "WEBSITE_CONTENTSHARE",
            "WEBSITE_RUN_FROM_PACKAGE",
            "WEBSITE_TIME_ZONE",
        )
    },
}


def check(root: Path) -> CheckResult:
    """Name every value that Azure would not take, and every row of the table that nothing is held against."""
    faults = faults_of_each(root, _refused)
    snapshots = [snapshot_of(root, variant) for variant in VARIANTS]
    rows = [(kind, place) for kind, places in ALLOWED.items() for place in places]
    for kind, place in rows:
        if not any(values_at(one, place) for snapshot in snapshots for one in snapshot.of(kind)):
            faults.append(f"no {kind} has {place}")
    return CheckResult.of(f"values of {len(rows)} open types are those that Azure takes, and Flex refuses none", faults)


def _refused(snapshot: Snapshot) -> Iterator[str]:
    for kind, places in ALLOWED.items():
        for one in snapshot.of(kind):
            for place, allowed in places.items():
                for value in values_at(one, place):
                    if value not in allowed and not is_expression(value):
                        among = f"{allowed}" if isinstance(allowed, range) else ", ".join(sorted(map(str, allowed)))
                        yield f"{kind} {short_name(one)}: {place} is {value!r}, not one of {among}"
    for kind, refused in NOT_ON_FLEX.items():
        for one in snapshot.of(kind):
            for place in sorted(refused):
                if values_at(one, place):
                    yield f"{kind}: {place} is set, and Flex Consumption refuses it"
