"""What a caller can ask about where it is: tenants, and the regions of a subscription (2022-12-01)."""

from dataclasses import dataclass

from local.azure.access import visible
from local.azure.http import Json, Response
from local.azure.routes import Call, Route

_VERSIONS = ("2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01")


@dataclass(frozen=True, slots=True)
class Region:
    """One region; `pair` is the name of the region that it is paired with."""

    name: str
    display_name: str
    geography: str
    place: str
    latitude: str
    longitude: str
    pair: str


_REGIONS = (
    Region("eastus", "East US", "US", "Virginia", "37.3719", "-79.8164", "westus"),
    Region("westus", "West US", "US", "California", "37.783", "-122.417", "eastus"),
    Region("northeurope", "North Europe", "Europe", "Ireland", "53.3478", "-6.2597", "westeurope"),
    Region("westeurope", "West Europe", "Europe", "Netherlands", "52.3667", "4.9", "northeurope"),
    Region("uksouth", "UK South", "UK", "London", "50.941", "-0.799", "ukwest"),
    Region("ukwest", "UK West", "UK", "Cardiff", "53.427", "-3.084", "uksouth"),
    Region(
        "australiaeast",
        "Australia East",
        "Asia Pacific",
        "New South Wales",
        "-33.86",
        "151.2094",
        "australiasoutheast",
    ),
)


def _tenants(call: Call) -> Response:
    """The caller's own tenant, and those that delegate something to it."""
    own = call.principal.tenant_id
    seen = {
        each.tenant_id
        for each in call.world.subscriptions.values()
        if visible(call.world, call.principal, each)
    }
    tenants = [own, *sorted(seen - {own})]
    return Response.of(
        {
            "value": [
                {
                    "id": f"/tenants/{tenant}",
                    "tenantId": tenant,
                    "tenantCategory": "Home" if tenant == own else "ProjectedBy",
                }
                for tenant in tenants
            ]
        }
    )


def _locations(call: Call) -> Response:
    place = f"/subscriptions/{call.path['subscription']}/locations"
    return Response.of({"value": [_describe(place, region) for region in _REGIONS]})


def _describe(place: str, region: Region) -> Json:
    return {
        "id": f"{place}/{region.name}",
        "name": region.name,
        "type": "Region",
        "displayName": region.display_name,
        "regionalDisplayName": f"({region.geography}) {region.display_name}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geographyGroup": region.geography,
            "longitude": region.longitude,
            "latitude": region.latitude,
            "physicalLocation": region.place,
            "pairedRegion": [{"name": region.pair, "id": f"{place}/{region.pair}"}],
        },
    }


ROUTES = (
    Route("GET", "/tenants", _VERSIONS, "", _tenants),
    Route(
        "GET",
        "/subscriptions/{subscription}/locations",
        _VERSIONS,
        "Microsoft.Resources/subscriptions/locations/read",
        _locations,
        1,
    ),
)
