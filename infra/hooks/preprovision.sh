#!/bin/sh
# No template brings these resource providers along: the app makes namespaces itself, and the subnet of private
# networking is only delegated to Microsoft.App.
set -eu
for provider in Microsoft.EventHub Microsoft.App; do
    az provider register --namespace "$provider" --subscription "$AZURE_SUBSCRIPTION_ID" --wait
done

# Azure takes a budget that begins this month, and never lets it begin at another time.
if [ "${LIGHTKEEPER_MONTHLY_BUDGET:-0}" != 0 ] && [ -z "${LIGHTKEEPER_BUDGET_START:-}" ]; then
    azd env set LIGHTKEEPER_BUDGET_START "$(date -u +%Y-%m-01)"
fi
