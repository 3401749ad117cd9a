#!/bin/sh
# Removes everything that onboarding.bicep or subscription.bicep made, and the activity-log export if it is still there.
#
#   sh remove.sh <management group>         all policies there, and delegations in all subscriptions of the tenant
#   sh remove.sh --subscription <id>        one subscription
#
# Who runs it needs Owner there. Ask the provider to offboard you first: while it is delegated, it takes away its own
# diagnostic settings and export rules. Running it again does no harm.
set -eu

PROVIDER_TENANT_ID=
BRAND=Lightkeeper

if [ -z "$PROVIDER_TENANT_ID" ] || [ $# -lt 1 ]; then
    echo "usage: sh remove.sh <management group> | --subscription <id>   (PROVIDER_TENANT_ID must be filled in)" >&2
    exit 2
fi

remove_policies() {
    scope="/providers/Microsoft.Management/managementGroups/$1"
    for title in "$BRAND Azure Log Ingest" "$BRAND Automation Resource Group"; do
        az policy assignment list --scope "$scope" --query "[?displayName=='$title' && scope=='$scope'].[name,identity.principalId]" --output tsv |
            while read -r name principal; do
                echo "policy assignment $name"
                az role assignment delete --assignee "$principal" --scope "$scope" </dev/null
                az policy assignment delete --name "$name" --scope "$scope" </dev/null
            done
        az policy definition list --management-group "$1" --query "[?displayName=='$title' && policyType=='Custom'].name" --output tsv |
            while read -r name; do
                echo "policy definition $name"
                az policy definition delete --name "$name" --management-group "$1" </dev/null
            done
    done
}

remove_from_subscription() {
    echo "subscription $1"
    az managedservices definition list --subscription "$1" \
        --query "[?properties.managedByTenantId=='$PROVIDER_TENANT_ID' && starts_with(properties.registrationDefinitionName, '$BRAND - ')].[name,id]" --output tsv |
        while read -r name id; do
            az managedservices assignment list --subscription "$1" --query "[?properties.registrationDefinitionId=='$id'].name" --output tsv </dev/null |
                while read -r assignment; do
                    az managedservices assignment delete --assignment "$assignment" --subscription "$1" </dev/null
                done
            az managedservices definition delete --definition "$name" --subscription "$1" --yes </dev/null
        done
    if [ "$(az group exists --name "${BRAND}Automation" --subscription "$1")" = true ]; then
        az group delete --name "${BRAND}Automation" --subscription "$1" --yes --no-wait
    fi
    if az monitor diagnostic-settings subscription show --name "$BRAND-Logs" --subscription "$1" --output none 2>/dev/null; then
        az monitor diagnostic-settings subscription delete --name "$BRAND-Logs" --subscription "$1" --yes
    fi
}

if [ "$1" = --subscription ]; then
    remove_from_subscription "$2"
else
    remove_policies "$1"
    az account list --query "[?tenantId=='$(az account show --query tenantId --output tsv)' && state=='Enabled'].id" --output tsv |
        while read -r subscription; do
            remove_from_subscription "$subscription" </dev/null
        done
fi
