#!/bin/sh
# One environment with az alone, from what `make package` made: resources, code, and a look at health until the
# version of the package answers (docs/deployment.md). Pipelines run it, and people may; it may be repeated.
#     infra/deploy.sh what-if    only says which resources would change; needs no right to change them
#     infra/deploy.sh            deploys
set -eu
cd "$(dirname "$0")/.."
package=dist/app.zip

case "${1:-deploy}" in
what-if)
    exec az deployment sub what-if --subscription "$AZURE_SUBSCRIPTION_ID" --name "$AZURE_ENV_NAME" \
        --location "$AZURE_LOCATION" --parameters infra/main.bicepparam --validation-level ProviderNoRbac
    ;;
deploy) ;;
*)
    echo "infra/deploy.sh takes what-if, or nothing" >&2
    exit 2
    ;;
esac

test -f "$package" || {
    echo "$package is not there: make package comes first" >&2
    exit 1
}
outputs=$(az deployment sub create --subscription "$AZURE_SUBSCRIPTION_ID" --name "$AZURE_ENV_NAME" \
    --location "$AZURE_LOCATION" --parameters infra/main.bicepparam --query properties.outputs --output json)

output() { # by its name in main.bicep; Azure may change the case of it
    printf '%s' "$outputs" | python3 -c '
import json, sys
print({name.upper(): one["value"] for name, one in json.load(sys.stdin).items()}[sys.argv[1]])' "$1"
}
AZURE_RESOURCE_GROUP=$(output AZURE_RESOURCE_GROUP)
AZURE_FUNCTION_APP=$(output AZURE_FUNCTION_APP)
SERVICE_APP_URI=$(output SERVICE_APP_URI)

az functionapp deployment source config-zip --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_APP" --src "$package" --build-remote true --output none
exec python3 -m admin.smoke --url "$SERVICE_APP_URI" --package "$package" --wait "${SMOKE_WAIT_S:-600}"
