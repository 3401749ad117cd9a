"""The page of the documentation that explains every reason, from the app's own catalogue.

python -m local.troubleshooting > docs/troubleshooting.md
"""

import sys

from shared.model.reasons import EXPLANATIONS, Explanation, Reason

_BEGIN = """\
# Troubleshooting

Everything that is not covered has exactly one reason, and the API shows it with what it means and who mends
it: `GET /api/integrations/{id}` for a customer, `/subscriptions` and `/resources` below it for each object,
`GET /api/health` for what concerns no single customer. A problem that is mended disappears by itself with
the next look, at the latest after `LIGHTKEEPER_SWEEP_SECONDS`; `POST /api/integrations/{id}/sync` looks now.
"""

_SYMPTOMS = {
    "a subscription is missing altogether": (
        "Is it delegated? The customer looks under *Service providers*, *Delegations*, and at the compliance "
        "of the policy *Azure Log Ingest*; a subscription of another management group is outside its scope."
    ),
    "everything is *configured*, and nothing arrives": (
        "Azure takes up to 90 minutes from a new diagnostic setting to its first entry, and an idle resource "
        "writes none. After that: does a capture file appear in the container `capture`? If not, look at "
        "*Incoming messages* of the namespace."
    ),
    "capture files appear, condensed files do not": (
        "Is the Event Grid subscription `capture-created` there, and does it deliver? It is made after the "
        "code: see [Deploy](deploy.md). What could not be delivered is in `event-grid-dead-letter`."
    ),
    "the policy stays non-compliant": (
        "The remediation ran before Azure had evaluated the assignment: run the command again. See "
        "[Be onboarded](onboard-customer.md)."
    ),
    "the answer to a registration holds `problem` in place of links": (
        "A role cannot be delegated any more, or `LIGHTKEEPER_PRINCIPAL_ID` is not set. See "
        "[Onboard a customer](onboard-provider.md)."
    ),
    "a link to `onboarding.bicep` answers 403": (
        "It has ended, or was cut off when it was copied. `GET /api/integrations/{id}/onboarding` "
        "gives another."
    ),
}


def page() -> str:
    """The whole page."""
    symptoms = "".join(f"| {seen} | {look} |\n" for seen, look in _SYMPTOMS.items())
    reasons = "".join(_section(reason, EXPLANATIONS[reason]) for reason in Reason)
    return (
        f"{_BEGIN}\n## No problem is shown, and yet\n"
        f"| what you see | what to look at |\n|---|---|\n{symptoms}\n## By reason\n{reasons}"
    )


def _section(reason: Reason, explanation: Explanation) -> str:
    return f"\n### `{reason.value}`\n{explanation.summary}\n\n*Remedy:* {explanation.remedy}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
