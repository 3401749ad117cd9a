"""Why something is not covered, and how to mend it: one catalogue for health, API and documents."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One cause, named once. Everything that is not covered has exactly one of these."""

    NOT_DELEGATED = "not_delegated"
    OVER_CAP = "over_cap"
    SUBSCRIPTION_DISABLED = "subscription_disabled"
    SETTING_LIMIT_REACHED = "setting_limit_reached"
    SINK_ALREADY_USED = "sink_already_used"
    PROVIDER_NOT_REGISTERED = "provider_not_registered"
    ROLE_MISSING = "role_missing"
    LINKED_ROLE_MISSING = "linked_role_missing"
    IDENTITY_REFUSED = "identity_refused"
    TYPE_NOT_SUPPORTED = "type_not_supported"
    NON_ASCII_ID = "non_ascii_id"
    RESOURCE_GONE = "resource_gone"
    WORKSPACE_MISSING = "workspace_missing"
    EXPORT_LIMIT_REACHED = "export_limit_reached"
    AUTOMATION_GROUP_MISSING = "automation_group_missing"
    KEEPS_NOTHING = "keeps_nothing"
    KEEPS_EVERYTHING = "keeps_everything"
    NOT_OURS = "not_ours"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    NAMESPACE_NAME_TAKEN = "namespace_name_taken"
    NAMESPACE_FAILED = "namespace_failed"
    UNKNOWN_TENANT = "unknown_tenant"
    MALFORMED_MESSAGE = "malformed_message"
    JOB_FAILED = "job_failed"
    UNKNOWN_HUB = "unknown_hub"
    CORRUPT_CAPTURE_FILE = "corrupt_capture_file"
    ENTRIES_SET_ASIDE = "entries_set_aside"
    CAPTURE_FILE_FAILED = "capture_file_failed"
    ENTRIES_UNACCOUNTED = "entries_unaccounted"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reason means to the person who reads it.

    Attributes:
        summary: one sentence that says what is wrong.
        remedy: one or two sentences that say who does what to mend it.
    """

    summary: str
    remedy: str


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.NOT_DELEGATED: Explanation(
        "The subscription is not delegated to the provider through Azure Lighthouse.",
        "The customer assigns the log ingest policy to a scope that holds the subscription, registers "
        "Microsoft.ManagedServices in it, and remediates.",
    ),
    Reason.OVER_CAP: Explanation(
        "The integration already covers as many subscriptions as its cap allows.",
        "Raise the integration's subscriptionCap, or remove delegation from subscriptions not to be watched.",
    ),
    Reason.SUBSCRIPTION_DISABLED: Explanation(
        "The subscription is disabled, so Azure refuses every change in it.",
        "The customer reactivates the subscription; coverage then starts by itself.",
    ),
    Reason.SETTING_LIMIT_REACHED: Explanation(
        "Five diagnostic settings exist already, and Azure allows no more.",
        "The customer deletes a diagnostic setting that is no longer needed.",
    ),
    Reason.SINK_ALREADY_USED: Explanation(
        "Another diagnostic setting already sends the same categories to our event hub.",
        "The customer deletes the other setting; ours then takes its place.",
    ),
    Reason.PROVIDER_NOT_REGISTERED: Explanation(
        "A resource provider is not registered in the subscription: Microsoft.Insights, or "
        "Microsoft.Security where alerts are concerned.",
        "The customer runs: az provider register --namespace <provider> --subscription <id>",
    ),
    Reason.ROLE_MISSING: Explanation(
        "The delegated roles do not allow us to do this.",
        "The customer deploys the current Lighthouse offer, which asks for the roles that are needed.",
    ),
    Reason.LINKED_ROLE_MISSING: Explanation(
        "Our identity may change the setting but may not use the event hub namespace it points to.",
        "The provider grants the app's identity access to the namespace's authorization rules.",
    ),
    Reason.IDENTITY_REFUSED: Explanation(
        "Azure did not accept the token of the app's identity.",
        "The provider checks the app's managed identity, AZURE_CLIENT_ID and AZURE_RESOURCE_MANAGER_URL.",
    ),
    Reason.TYPE_NOT_SUPPORTED: Explanation(
        "Azure offers no diagnostic settings for this type of resource.",
        "Nothing to do: resources of this type cannot be monitored.",
    ),
    Reason.NON_ASCII_ID: Explanation(
        "The resource's ID has characters for which Azure keeps no diagnostic settings.",
        "The customer makes the resource anew under a name of ASCII characters.",
    ),
    Reason.RESOURCE_GONE: Explanation(
        "Complete listings in a row lacked the resource, and Azure did not have it either when asked for it.",
        "Nothing to do if it was deleted; otherwise the customer checks the delegated roles.",
    ),
    Reason.WORKSPACE_MISSING: Explanation(
        "The Log Analytics workspace that the customer named is not there, as far as we may see.",
        "The customer checks workspaceResourceId and delegates the workspace's subscription.",
    ),
    Reason.EXPORT_LIMIT_REACHED: Explanation(
        "Ten active data export rules exist in the workspace already, and Azure allows no more.",
        "The customer disables or deletes an export rule that is no longer needed.",
    ),
    Reason.AUTOMATION_GROUP_MISSING: Explanation(
        "The resource group for Defender automation does not exist in the subscription.",
        "The customer remediates the policy that creates the automation resource group.",
    ),
    Reason.KEEPS_NOTHING: Explanation(
        "Azure accepted the setting again and again and then did not have it.",
        "The provider opens a support request with Azure and quotes the subscription and the time.",
    ),
    Reason.KEEPS_EVERYTHING: Explanation(
        "Azure accepted the deletion again and again and then still had the object.",
        "The customer deletes the object that is named here.",
    ),
    Reason.NOT_OURS: Explanation(
        "The object has our name but sends to somewhere else than our event hubs, so it was left alone.",
        "The customer decides whether the object is still needed.",
    ),
    Reason.REFUSED: Explanation(
        "Azure refused the request for a reason that we do not know.",
        "The provider reads the error code in the detail; retries go on in the meantime.",
    ),
    Reason.UNREACHABLE: Explanation(
        "Azure did not answer, or answered with a server error.",
        "Nothing to do: retries go on. If it lasts, check the status of Azure Resource Manager.",
    ),
    Reason.THROTTLED: Explanation(
        "Azure kept answering that there are too many requests.",
        "Nothing to do: it is tried again in the next cycle. If it lasts, lengthen the cycles.",
    ),
    Reason.NAMESPACE_NAME_TAKEN: Explanation(
        "An event hub namespace of the wanted name already exists in another Azure tenant.",
        "The provider sets another LIGHTKEEPER_NAMESPACE_PREFIX for namespaces to come.",
    ),
    Reason.NAMESPACE_FAILED: Explanation(
        "Azure could not finish making the event hub namespace.",
        "The provider deletes the failed namespace in the portal; it is then made anew.",
    ),
    Reason.UNKNOWN_TENANT: Explanation(
        "Subscriptions of a tenant that has no integration are delegated to us.",
        "Register the tenant with POST /api/integrations, or ask the customer to end the delegation.",
    ),
    Reason.MALFORMED_MESSAGE: Explanation(
        "A queue message could not be read.",
        "The provider looks at the message in GET /api/health, and replays or discards it.",
    ),
    Reason.JOB_FAILED: Explanation(
        "Jobs failed as often as the Functions host tries them, and lie on a poison queue.",
        "The provider finds the cause in the logs, then replays or discards the messages in GET /api/health.",
    ),
    Reason.UNKNOWN_HUB: Explanation(
        "A capture file came from an event hub that is assigned to no customer.",
        "The provider finds out who captures to this container; the file is kept among those set aside.",
    ),
    Reason.CORRUPT_CAPTURE_FILE: Explanation(
        "A capture file cannot be read to its end.",
        "The provider inspects the file kept among those set aside.",
    ),
    Reason.ENTRIES_SET_ASIDE: Explanation(
        "Some log entries could not be read and were set aside whole.",
        "The provider inspects the set-aside file that is named in the detail.",
    ),
    Reason.CAPTURE_FILE_FAILED: Explanation(
        "A capture file was tried for hours and failed each time.",
        "The provider finds the cause in the logs, then has the file handled once more: "
        "POST /api/set-aside/{id}/replay",
    ),
    Reason.ENTRIES_UNACCOUNTED: Explanation(
        "The ledger of a day does not account for every log entry that arrived, entries that were parked are "
        "gone, or a flush that was begun cannot be ended, so that what left in it is not handed on.",
        "The provider looks into the logs for what the detail names; files that were not handled are handled "
        "by themselves, those set aside with POST /api/set-aside/{id}/replay. If it names flushes and the "
        "logs say of them that they lost races, a blob was deleted from the container parked: the provider "
        "undeletes it within seven days, and the next flush ends them.",
    ),
}
