"""OData filters of the resource listing.

Fields and functions after the listing's documentation: `eq` and `ne` on resourceType, location, name,
resourceGroup, tagName and tagValue; `substringof('x', name)`; `startswith(tagName, 'x')`.
"""

from local.azure.conditions import Condition, NotUnderstoodError, Row, Tokens, condition
from local.azure.http import Refusal

_FIELDS = {
    "resourcetype": "type",
    "location": "location",
    "name": "name",
    "resourcegroup": "resourcegroup",
}


def read_filter(text: str) -> Condition:
    """The condition that a filter means; rows have `type`, `location`, `name`, `resourcegroup`, `tags`.

    Raises:
        Refusal: 400 InvalidFilterInQueryString.
    """
    try:
        return _whole(Tokens(text))
    except NotUnderstoodError as error:
        raise Refusal(
            400,
            "InvalidFilterInQueryString",
            f"Invalid $filter '{text}' specified in the query string.",
        ) from error


def _whole(tokens: Tokens) -> Condition:
    if not tokens.next:
        return lambda _: True
    read = condition(tokens, _leaf)
    tokens.end()
    return read


def _leaf(tokens: Tokens) -> Condition:
    field = tokens.take().lower()
    if field == "substringof":
        return _substring(tokens)
    if field == "startswith":
        return _tag_prefix(tokens)
    if field not in _FIELDS and field not in ("tagname", "tagvalue"):
        raise NotUnderstoodError(field)
    same = tokens.take("eq", "ne").lower() == "eq"
    wanted = tokens.text().lower()
    if field == "tagname":
        return lambda row: (wanted in _tags(row)) is same
    if field == "tagvalue":
        return lambda row: (wanted in _tags(row).values()) is same
    name = _FIELDS[field]
    return lambda row: (str(row[name]).lower() == wanted) is same


def _substring(tokens: Tokens) -> Condition:
    tokens.take("(")
    wanted = tokens.text().lower()
    tokens.take(",")
    name = _FIELDS[tokens.take("name", "resourcegroup").lower()]
    tokens.take(")")
    return lambda row: wanted in str(row[name]).lower()


def _tag_prefix(tokens: Tokens) -> Condition:
    tokens.take("(")
    tokens.take("tagname")
    tokens.take(",")
    wanted = tokens.text().lower()
    tokens.take(")")
    return lambda row: any(tag.startswith(wanted) for tag in _tags(row))


def _tags(row: Row) -> dict[str, str]:
    return {name.lower(): str(value).lower() for name, value in (row["tags"] or {}).items()}
