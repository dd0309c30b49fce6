"""What the endpoints share: texts and numbers as they come in, pages of lists, looking things up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet, TextChoices
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Schema
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from signing.models import Account, User
from signing.selectors.accounts import visible_accounts
from trustui.errors import Refused

MOST_PER_PAGE = 200
LARGEST_ID = 2**63 - 1  # what a database keeps

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)


class ApiRequest(HttpRequest):
    """A request whose sender `trustui.api.auth` knows."""

    user: User


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("It holds a NUL character.")
    return text


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("It has to be a text: 2027-01-31T12:00:00Z.")
    return value


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("It needs its time zone: 2027-01-31T12:00:00Z.")
    return moment


def words(choices: type[TextChoices]) -> WithJsonSchema:
    """Describe a choice by its words, where it stands: ninja would mix up choices whose classes have one name."""
    return WithJsonSchema({"type": "string", "enum": list(choices.values)})


Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[Text, Field(min_length=1, max_length=255)]
Reason = Annotated[Text, Field(max_length=500)]
Secret = Annotated[Text, Field(max_length=1024, json_schema_extra={"format": "password", "writeOnly": True})]
Pem = Annotated[Text, Field(min_length=1, max_length=64 * 1024)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Number = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Flag = Annotated[bool, Field(strict=True)]
Moment = Annotated[datetime, BeforeValidator(_as_text), AfterValidator(_aware)]


class Body(BaseModel):
    """What may be sent; a member it does not name is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Paging(BaseModel):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE, description="how many at most")] = 50
    offset: Annotated[int, Field(ge=0, le=2**31, description="how many to leave out first")] = 0


class PageOf(Schema, Generic[Item]):
    """A part of a list and how long the whole list is."""

    items: list[Item]
    total: int
    limit: int
    offset: int


def page(
    request: HttpRequest, response: HttpResponse, rows: QuerySet[Any] | Sequence[Any], paging: Paging
) -> dict[str, Any]:
    """Cut out the part that is asked for; the header Link names the parts around it."""
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    items = list(rows[paging.offset : paging.offset + paging.limit])
    around = {
        "first": 0 if paging.offset else None,
        "prev": max(0, paging.offset - paging.limit) if paging.offset else None,
        "next": paging.offset + paging.limit if paging.offset + paging.limit < total else None,
    }
    links = [f'<{_address(request, paging, at)}>; rel="{rel}"' for rel, at in around.items() if at is not None]
    if links:
        response.headers["Link"] = ", ".join(links)
    return {"items": items, "total": total, "limit": paging.limit, "offset": paging.offset}


def found(rows: QuerySet[Row], **named: Any) -> Row:
    """Find one row among the visible ones, for an id that stands in the address.

    Raises:
        Http404: there is none, or it is not this person's to see; nobody can tell which.
    """
    row = rows.filter(**named).first()
    if row is None:
        raise Http404
    return row


def chosen(rows: QuerySet[Row], member: str, **named: Any) -> Row:
    """Find one row among the visible ones, for an id that stands in the body.

    Raises:
        Refused: there is none, or it is not this person's to see; nobody can tell which.
    """
    row = rows.filter(**named).first()
    if row is None:
        raise unknown(member)
    return row


def chosen_all(rows: QuerySet[Row], member: str, field: str, values: Sequence[Any]) -> list[Row]:
    """Find several rows in the order they are named."""
    by_value = {getattr(row, field): row for row in rows.filter(**{f"{field}__in": values})}
    if not by_value.keys() >= set(values):
        raise unknown(member)
    return [by_value[value] for value in dict.fromkeys(values)]


def unknown(member: str) -> Refused:
    """Refuse a member that names what is not there for this person."""
    return Refused("invalid_members", errors={member: ["There is none of that name, or it is not yours to use."]})


def account_named(request: ApiRequest, name: str) -> Account:
    """Find the account a body names."""
    return chosen(visible_accounts(request.user), "account", name=name)


def _address(request: HttpRequest, paging: Paging, offset: int) -> str:
    query = [(name, value) for name, value in request.GET.items() if name not in ("limit", "offset")]
    return request.build_absolute_uri(
        f"{request.path}?{urlencode([*query, ('limit', paging.limit), ('offset', offset)])}"
    )
