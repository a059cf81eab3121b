"""What the documentation promises of the deployment, held against every variant of it.

What a variant makes otherwise than ``dev`` is promised, too: a difference that nobody meant is a fault.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.check_result import CheckResult
from conformance.snapshots import (
    APPLICATION,
    NOBODY,
    VARIANTS,
    Resource,
    Snapshot,
    by_id,
    differences,
    faults_of_each,
    short_name,
    snapshot_of,
    values_at,
)

Promises = Mapping[str, Mapping[str, Any]]  # type, or type and name -> place -> value, or a pattern of it

IN_EVERY_VARIANT: Promises = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.allowCrossTenantReplication": False,
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices": {
        "properties.deleteRetentionPolicy.enabled": True,
        "properties.containerDeleteRetentionPolicy.enabled": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "None"},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.Insights/scheduledQueryRules": {
        "properties.enabled": True,
        "properties.actions.actionGroups": re.compile("/Microsoft.Insights/actionGroups/ag-leak-"),
    },
    "Microsoft.Web/sites": {
        "properties.httpsOnly": True,
        "properties.siteConfig.minTlsVersion": "1.2",
        "identity.type": "UserAssigned",
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Microsoft.EventGrid/systemTopics": {"identity.type": "SystemAssigned"},
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": {
        "properties.deliveryWithResourceIdentity.identity.type": "SystemAssigned",
        "properties.deadLetterWithResourceIdentity.identity.type": "SystemAssigned",
    },
    "Microsoft.Insights/metricAlerts": {
        "properties.enabled": True,
        "properties.actions.actionGroupId": re.compile("/Microsoft.Insights/actionGroups/ag-leak-"),
    },
}
OF_VARIANT: Mapping[str, Promises] = {
    "dev": {"Microsoft.Storage/storageAccounts": {"sku.name": "Standard_LRS"}},
    "prod": {
        "*": {"tags.stage": "prod"},
        "Microsoft.Authorization/locks": {"properties.level": "CanNotDelete"},
        "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies": {
            "properties.immutabilityPeriodSinceCreationInDays": 30,
            "properties.allowProtectedAppendWrites": False,
        },
        "Microsoft.Storage/storageAccounts": {"sku.name": "Standard_ZRS"},
        "Microsoft.Storage/storageAccounts/blobServices": {
            "properties.deleteRetentionPolicy.days": 14,
            "properties.containerDeleteRetentionPolicy.days": 14,
        },
        "Microsoft.OperationalInsights/workspaces": {
            "properties.retentionInDays": 90,
            "properties.workspaceCapping.dailyQuotaGb": 5,
        },
        "Microsoft.Insights/actionGroups": {"properties.emailReceivers.emailAddress": "operator@example.com"},
        "Microsoft.Web/sites": {"properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount": 100},
        "Microsoft.Consumption/budgets": {
            "properties.amount": 200,
            "properties.notifications.*.enabled": True,
            "properties.notifications.*.contactGroups": re.compile("/Microsoft.Insights/actionGroups/ag-leak-"),
        },
    },
    "entra": {
        "Microsoft.Web/sites/config appsettings": {"properties.HTTP__AUTH": "entra"},
        "Microsoft.Web/sites/config authsettingsV2": {
            "properties.platform.enabled": True,
            "properties.globalValidation.requireAuthentication": True,
            "properties.identityProviders.azureActiveDirectory.registration.clientId": APPLICATION,
            "properties.identityProviders.azureActiveDirectory.validation.allowedAudiences": f"api://{APPLICATION}",
            "properties.httpSettings.requireHttps": True,
        },
    },
    "private-network": {
        "Microsoft.Storage/storageAccounts": {
            "properties.publicNetworkAccess": "Disabled",
            "properties.networkAcls.defaultAction": "Deny",
            "properties.networkAcls.bypass": "AzureServices",  # Event Grid puts events on their queue through it
        },
        "Microsoft.Web/sites": {"properties.virtualNetworkSubnetId": re.compile("/virtualNetworks/vnet-leak-")},
        "Microsoft.Network/virtualNetworks": {
            "properties.subnets.properties.delegations.properties.serviceName": "Microsoft.App/environments"
        },
        "Microsoft.Network/privateEndpoints": {
            "properties.privateLinkServiceConnections.properties.groupIds": re.compile("^(blob|queue|table)$")
        },
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": {
            "properties.privateDnsZoneConfigs.name": re.compile("^(blob|queue|table)$")
        },
        "Microsoft.Network/privateDnsZones": {"location": "global"},
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks": {"properties.registrationEnabled": False},
    },
    "vault": {
        "Microsoft.KeyVault/vaults": {
            "properties.enableRbacAuthorization": True,
            "properties.enableSoftDelete": True,
        },
        "Microsoft.Web/sites/config appsettings": {
            "properties.OMNIA__TENANT_ID": NOBODY,
            "properties.OMNIA__CLIENT_ID": APPLICATION,
            "properties.OMNIA__CLIENT_SECRET": re.compile(r"^\[format\('@Microsoft\.KeyVault\(SecretUri="),
            "properties.NOTIFY__FORMAT": "pagerduty",
            "properties.NOTIFY__WEBHOOK_URL": re.compile(r"^\[format\('@Microsoft\.KeyVault\(SecretUri="),
            "properties.NOTIFY__SECRET": re.compile(r"^\[format\('@Microsoft\.KeyVault\(SecretUri="),
        },
    },
}
FORBIDDEN = {"Microsoft.KeyVault/vaults/secrets"}  # a secret would stand in the deployment's history
OF_ROLES = "Microsoft.Authorization/roleAssignments"  # conformance/roles.py knows which are needed


def check(root: Path) -> CheckResult:
    """Name every promise that a variant breaks, and every difference between variants that nobody promised."""
    dev = by_id(snapshot_of(root, "dev").resources)
    faults = [
        f"{path.name}: a parameter takes a secret; people put it into Key Vault themselves"
        for path in sorted((root / "infra").rglob("*.bicep"))
        if "@secure()" in path.read_text()
    ]
    faults += faults_of_each(root, _broken)
    faults += faults_of_each(root, lambda snapshot: _not_meant(dev, snapshot), VARIANTS)
    made = sum(len(places) for _, places in (one for promises in _all() for one in promises.items()))
    return CheckResult.of(f"{made} promises are kept: no keys, no open doors, nothing lost by a slip", faults)


def _all() -> Iterator[Promises]:
    yield IN_EVERY_VARIANT
    yield from OF_VARIANT.values()


def _broken(snapshot: Snapshot) -> Iterator[str]:
    yield from (f"{kind} must not be deployed" for kind in FORBIDDEN if snapshot.of(kind))
    for kind, promised in (*IN_EVERY_VARIANT.items(), *OF_VARIANT.get(snapshot.variant, {}).items()):
        those = _tagged(snapshot) if kind == "*" else snapshot.of(kind)
        if not those:
            yield f"there is no {kind}"
        for one in those:
            for place, value in promised.items():
                if not _keeps(one, place, value):
                    yield f"{_name(one)}: {place} must be {getattr(value, 'pattern', value)!r}"


def _tagged(snapshot: Snapshot) -> list[Resource]:
    return [one for one in snapshot.resources if "tags" in one]


def _keeps(one: Resource, place: str, promised: Any) -> bool:
    found = values_at(one, place)
    if isinstance(promised, re.Pattern):
        return bool(found) and all(promised.search(str(value)) for value in found)
    return bool(found) and all(value == promised and type(value) is type(promised) for value in found)


def _name(one: Resource) -> str:
    return f"{one['type']} {short_name(one)}"


def _not_meant(dev: Mapping[str, Resource], snapshot: Snapshot) -> Iterator[str]:
    """Yield where a variant differs from dev without a promise."""
    after, promises = by_id(snapshot.resources), OF_VARIANT.get(snapshot.variant, {})
    for identity, place, words in differences(dev, after):
        one = after.get(identity) or dev[identity]
        kinds = {"*", one["type"], _name(one)} if identity in after else set()
        meant = [said for kind in kinds & promises.keys() for said in promises[kind]]
        if one["type"] == OF_ROLES or any(f"{said}.".startswith(f"{place}.") or not place for said in meant):
            continue
        yield f"{_name(one)}: {place or 'it'} {words}, which nobody promised"
