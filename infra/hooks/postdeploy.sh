#!/bin/sh
# The code is there now, so Event Grid can be told to send it capture files. Azure may take a minute to see its functions.
set -eu

subscribe() {
    az deployment group create \
        --subscription "$AZURE_SUBSCRIPTION_ID" \
        --resource-group "$AZURE_RESOURCE_GROUP" \
        --name lightkeeper-event-subscription \
        --template-file infra/app/event-subscription.bicep \
        --parameters \
        systemTopicName="$AZURE_SYSTEM_TOPIC_NAME" \
        functionAppName="$AZURE_FUNCTION_APP_NAME" \
        storageName="$AZURE_STORAGE_ACCOUNT_NAME" \
        --output none
}

for _ in 1 2 3 4; do
    subscribe && exit 0
    sleep 30
done
subscribe
