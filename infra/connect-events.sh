#!/bin/sh
# Connects the lake's blob events to the app that was deployed (events.bicep); azd runs it after each deployment, and it
# may be repeated. The host makes the key of the events' endpoint when it starts with the new code, and Event Grid asks
# the endpoint before it takes it: both may be minutes away right after a deployment.
set -eu
tries="${CONNECT_TRIES:-10}"
until az deployment group create --name events \
    --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
    --parameters "$(dirname "$0")/events.bicepparam" --output none; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        echo "blob events are not connected: nothing is scored until infra/connect-events.sh succeeds" >&2
        exit 1
    fi
    echo "the app does not answer yet; $tries more tries" >&2
    sleep "${CONNECT_WAIT_S:-30}"
done
