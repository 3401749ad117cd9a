#!/bin/sh
# Removes everything that onboarding.bicep or subscription.bicep made, and every export of logs that is still there.
#
#   sh remove.sh <management group>         all policies there, and delegations in all subscriptions of the tenant
#   sh remove.sh --subscription <id>        one subscription
#
# Who runs it needs Owner there. Ask the provider to offboard you first: it knows where its settings and rules are, while
# this script asks every resource that may have one. Running it again does no harm.
set -eu

PROVIDER_TENANT_ID=
BRAND=Lightkeeper

# Types of resources that may have a diagnostic setting of the provider's.
TYPES="
    microsoft.keyvault/vaults
    microsoft.containerservice/managedclusters
    microsoft.sql/servers/databases
    microsoft.network/azurefirewalls
    microsoft.network/networksecuritygroups
    microsoft.web/sites
    microsoft.network/applicationgateways
"

if [ -z "$PROVIDER_TENANT_ID" ] || [ $# -lt 1 ]; then
    echo "usage: sh remove.sh <management group> | --subscription <id>   (PROVIDER_TENANT_ID must be filled in)" >&2
    exit 2
fi

# list PATH QUERY: finds fields of what Azure lists there, separated by tabs; stops if Azure does not say
list() {
    found=$(az rest --method get --url "$1" --query "$2" --output tsv </dev/null)
}

found() {
    [ -z "$found" ] || printf '%s\n' "$found"
}

delete() {
    echo "delete $1"
    az rest --method delete --url "$1?api-version=$2" --output none </dev/null
}

# What still has an assignment cannot be deleted, and assignments take a moment to go.
delete_definition() {
    for _ in 1 2 3 4 5 6; do
        if delete "$1" 2022-10-01 2>/dev/null; then return; fi
        sleep "${REMOVE_PAUSE_SECONDS:-10}"
    done
    delete "$1" 2022-10-01
}

remove_policies() {
    scope="/providers/Microsoft.Management/managementGroups/$1/providers/Microsoft.Authorization"
    for title in "$BRAND Azure Log Ingest" "$BRAND Automation Resource Group"; do
        list "$scope/policyAssignments?api-version=2025-03-01&\$filter=atExactScope()" \
            "value[?properties.displayName=='$title'].[id,identity.principalId]"
        found | while read -r assignment principal; do
            list "$scope/roleAssignments?api-version=2022-04-01&\$filter=principalId%20eq%20'$principal'" "value[].id"
            found | while read -r role; do delete "$role" 2022-04-01; done
            delete "$assignment" 2025-03-01
        done
        list "$scope/policyDefinitions?api-version=2025-03-01&\$filter=policyType%20eq%20'Custom'" \
            "value[?properties.displayName=='$title'].id"
        found | while read -r definition; do delete "$definition" 2025-03-01; done
    done
}

remove_from_subscription() {
    offers="/subscriptions/$1/providers/Microsoft.ManagedServices"
    list "$offers/registrationDefinitions?api-version=2022-10-01" \
        "value[?properties.managedByTenantId=='$PROVIDER_TENANT_ID' && starts_with(properties.registrationDefinitionName, '$BRAND - ')].id"
    found | while read -r definition; do
        list "$offers/registrationAssignments?api-version=2022-10-01" \
            "value[?ends_with(properties.registrationDefinitionId, '/${definition##*/}')].id"
        found | while read -r assignment; do delete "$assignment" 2022-10-01; done
        delete_definition "$definition"
    done
    list "/subscriptions/$1/resourceGroups?api-version=2024-11-01" "value[?name=='${BRAND}Automation'].id"
    found | while read -r group; do delete "$group" 2024-11-01; done
    for type in $TYPES; do
        find_resources "$1" "$type"
        found | while read -r resource; do remove_setting "$resource"; done
    done
    find_resources "$1" Microsoft.OperationalInsights/workspaces
    found | while read -r workspace; do
        list "$workspace/dataExports?api-version=2025-07-01" "value[?name=='$BRAND-Entra-Data-Export'].name"
        found | while read -r rule; do delete "$workspace/dataExports/$rule" 2025-07-01; done
    done
    remove_setting "/subscriptions/$1"
}

find_resources() {
    found=$(az resource list --subscription "$1" --resource-type "$2" --query "[].id" --output tsv </dev/null)
}

remove_setting() {
    settings="$1/providers/Microsoft.Insights/diagnosticSettings"
    list "$settings?api-version=2021-05-01-preview" "value[?name=='$BRAND-Logs'].name"
    found | while read -r setting; do delete "$settings/$setting" 2021-05-01-preview; done
}

if [ "$1" = --subscription ]; then
    remove_from_subscription "$2"
else
    remove_policies "$1"
    tenant=$(az account show --query tenantId --output tsv)
    # Subscriptions that others have delegated to this tenant are theirs: their home is elsewhere.
    found=$(az account list --refresh --query "[?homeTenantId=='$tenant' && state=='Enabled'].id" --output tsv)
    found | while read -r subscription; do remove_from_subscription "$subscription"; done
fi
