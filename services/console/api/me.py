"""How does a program learn who it is: whose key or session it has, and which requests it may send?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from schemas import envelope
from services.console.access.rights import ASKS
from services.console.api.answers import READ
from services.console.api.context import who_of
from services.console.api.documents import API

router = APIRouter(prefix=API)


class Me(BaseModel):
    """The sender of a request, as the console knows it."""

    account: str
    roles: list[str]
    company: str
    office: str
    clients: list[str]
    may_ask: list[str]
    scopes: list[str]
    csrf: str


@router.get("/me", response_model=Me, responses=READ, tags=["declarants", "officers", "ports"], summary="Who am I?")
async def me(request: Request) -> Me:
    """Answers the account of the key or session, the requests that it may send, and the companies for which it may send
    them."""
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
