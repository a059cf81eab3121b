"""What the documentation promises of the deployment, where neither types nor policies hold it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.bicep import Resource, resources
from conformance.check_result import CheckResult

PROMISES: Mapping[str, Mapping[str, Any]] = {
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
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.KeyVault/vaults": {"properties.enableRbacAuthorization": True, "properties.enableSoftDelete": True},
    "Microsoft.Web/sites": {
        "properties.httpsOnly": True,
        "properties.siteConfig.minTlsVersion": "1.2",
        "identity.type": "UserAssigned",
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
}
FORBIDDEN = {"Microsoft.KeyVault/vaults/secrets"}  # a secret would stand in the deployment's history


def check(root: Path) -> CheckResult:
    """Name every promise that a resource breaks, or that no resource keeps."""
    faults, kept = [], set()
    for path in sorted((root / "infra").rglob("*.bicep")):
        if "@secure()" in path.read_text():
            faults.append(f"{path.name}: a parameter takes a secret; people put it into Key Vault themselves")
        for resource in resources(path):
            if resource.type in FORBIDDEN:
                faults.append(f"{resource.file}:{resource.line}: {resource.type} must not be deployed")
            for where, promised in PROMISES.get(resource.type, {}).items():
                if not resource.existing:
                    kept.add((resource.type, where))
                    if _at(resource, where) != promised:
                        faults.append(f"{resource.file}:{resource.line}: {where} must be {promised!r}")
    made = {(kind, where) for kind, promises in PROMISES.items() for where in promises}
    faults += [f"no resource keeps {where} of {kind}" for kind, where in sorted(made - kept)]
    return CheckResult.of(f"{len(made)} promises are kept: no keys, no open doors, nothing lost by a slip", faults)


def _at(resource: Resource, where: str) -> Any:
    value: Any = resource.body
    for name in where.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
