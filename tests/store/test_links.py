"""Links to single blobs: what is signed comes back whole."""

from datetime import timedelta
from urllib.parse import parse_qsl

from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas

from shared.store.links import _SIGNED, LINK_LIFE
from tests.helpers.facts import NOW, PROVIDER_TENANT, a_guid


def test_every_field_of_a_signature_by_identity_is_passed_on() -> None:
    key = UserDelegationKey()
    key.signed_oid, key.signed_tid = a_guid(1), PROVIDER_TENANT
    key.signed_start, key.signed_expiry = "2026-11-21T12:00:00Z", "2026-11-27T12:00:00Z"
    key.signed_service, key.signed_version, key.value = "b", "2025-11-05", "a2V5"
    query = generate_blob_sas(
        account_name="keeper",
        container_name="published",
        blob_name="onboarding/x/onboarding.bicep",
        user_delegation_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=NOW + LINK_LIFE,
    )
    fields = dict(parse_qsl(query))
    assert fields.keys() <= set(_SIGNED)
    assert (fields["sp"], fields["sr"], fields["skoid"]) == ("r", "b", a_guid(1))


def test_a_link_ends_before_the_key_that_signed_it() -> None:
    assert timedelta(minutes=15) + LINK_LIFE < timedelta(days=7)
