"""How does a program learn who it is: whose key or session it has, and which requests it may send?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from schemas import envelope
from services.console.access.rights import ASKS
from services.console.api.answers import READ
from services.console.api.context import who_of
from services.console.api.documents import API

router = APIRouter(prefix=API)


class Me(BaseModel):
    """Who asks, as the console knows it."""

    account: str
    roles: list[str]
    company: str
    office: str
    clients: list[str] = Field(description="companies that authorised this agent, now")
    may_ask: list[str] = Field(description="kinds of requests")
    scopes: list[str] = Field(description="what the key is good for; all for a person")
    csrf: str = Field(description="for `X-CSRF-Token` of requests that come with a cookie; empty for a key")


@router.get("/me", response_model=Me, responses=READ, tags=["declarants", "officers", "ports"], summary="Who am I?")
async def me(request: Request) -> Me:
    """The account behind the key or session, what it may ask, and for whom."""
    who = who_of(request)
    kinds: list[type[envelope.Request]] = [kind for kind in ASKS if who.may_ask(kind)]
    return Me(
        account=who.actor,
        roles=sorted(who.roles),
        company=who.company,
        office=who.office,
        clients=sorted(who.clients),
        may_ask=[kind.kind for kind in kinds],
        scopes=sorted(who.scopes),
        csrf=who.csrf,
    )
