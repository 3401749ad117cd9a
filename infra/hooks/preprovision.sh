#!/bin/sh
# The app makes namespaces itself, so no template brings their resource provider along.
set -eu
az provider register --namespace Microsoft.EventHub --subscription "$AZURE_SUBSCRIPTION_ID" --wait
