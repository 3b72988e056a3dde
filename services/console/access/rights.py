"""Who may send and see what? The tables of this file say which roles may use each route and send each kind of request,
and which goods each role may see."""

from enum import StrEnum
from typing import NamedTuple

from schemas.codes.uscc import is_valid
from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    StrikeLot,
)
from schemas.inspection import CorrectFindings, RecordFindings, RetractFindings
from schemas.marks import Audience
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
)
from schemas.release import LiftHold, LiftWatch, PlaceHold, PlaceWatch, ReportArrival, RetractArrival, RetractLift


class Role(StrEnum):
    """What a person or company does at the border. An account may have several roles."""

    DECLARANT = "declarant"
    AGENT = "agent"
    CARRIER = "carrier"
    TERMINAL = "terminal"
    TARGETING = "targeting"
    INSPECTOR = "inspector"
    TREATMENT = "treatment"
    RELEASE = "release"
    OPERATIONS = "operations"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Reach(StrEnum):
    """Which goods a role may see. COMPANY: goods that the account's company declares, or that a company which
    authorised this agent declares. OFFICE: goods declared at a customs office for which the account's office is
    responsible (see `covers`), and goods that nobody has declared. ANY: all goods. CONTAINERS: containers, but not the
    goods in them. NOTHING: neither goods nor containers."""

    COMPANY = "company"
    OFFICE = "office"
    ANY = "any"
    CONTAINERS = "containers"
    NOTHING = "nothing"


class Scope(StrEnum):
    """For what an API key may be used, within the rights of its account."""

    READ = "read"
    GATE = "gate"
    LODGE = "lodge"
    REPORT = "report"
    DECIDE = "decide"
    OPERATE = "operate"
    GRANT = "grant"


class AccessRule(NamedTuple):
    """The rule that says who may do something. `roles`: the account needs one of these; if empty, every account may. `scope`: the scope
    that an API key needs; None if every key may."""

    roles: frozenset[Role]
    scope: Scope | None


class Open(NamedTuple):
    """The rule of a route that is open to everybody, without an account. `page`: the page shows who is signed in, so the session is
    looked up if the request has a cookie."""

    page: bool = False


REACH: dict[Role, Reach] = {
    Role.DECLARANT: Reach.COMPANY,
    Role.AGENT: Reach.COMPANY,
    Role.CARRIER: Reach.CONTAINERS,
    Role.TERMINAL: Reach.CONTAINERS,
    Role.TARGETING: Reach.OFFICE,
    Role.INSPECTOR: Reach.OFFICE,
    Role.TREATMENT: Reach.OFFICE,
    Role.RELEASE: Reach.OFFICE,
    Role.OPERATIONS: Reach.ANY,
    Role.AUDITOR: Reach.ANY,
    Role.ADMINISTRATOR: Reach.NOTHING,
}
R = Role
_DECLARING = frozenset({R.DECLARANT, R.AGENT})
_PORTS = frozenset({R.CARRIER, R.TERMINAL})
_OFFICERS = frozenset({R.TARGETING, R.INSPECTOR, R.RELEASE})
_WATCHING = frozenset({R.OPERATIONS, R.AUDITOR})
CUSTOMS = _OFFICERS | _WATCHING
"""The roles of customs, which may read the remarks of officers."""
OUTSIDE = _DECLARING | _PORTS | {R.TREATMENT}
"""The roles outside customs. An account may have roles inside and outside customs only in a sandbox."""
_LISTING = frozenset({R.TARGETING, R.RELEASE})
_GOODS = _DECLARING | CUSTOMS | {R.TREATMENT}
_BOXES = _GOODS | _PORTS
ANYBODY: frozenset[Role] = frozenset()
"""The value of `AccessRule.roles` that stands for every authenticated account."""

ASKS: dict[type[Request], AccessRule] = {
    LodgeDeclaration: AccessRule(_DECLARING, Scope.LODGE),
    WithdrawDeclaration: AccessRule(_DECLARING, Scope.LODGE),
    ReportArrival: AccessRule(_PORTS, Scope.REPORT),
    RetractArrival: AccessRule(_PORTS, Scope.REPORT),
    RecordEquipmentEvent: AccessRule(_PORTS, Scope.REPORT),
    RetractEquipmentEvent: AccessRule(_PORTS, Scope.REPORT),
    RecordGateOut: AccessRule(_PORTS, Scope.REPORT),
    RecordFindings: AccessRule(frozenset({R.INSPECTOR}), Scope.DECIDE),
    CorrectFindings: AccessRule(frozenset({R.INSPECTOR}), Scope.DECIDE),
    RetractFindings: AccessRule(frozenset({R.INSPECTOR}), Scope.DECIDE),
    RecordTreatment: AccessRule(frozenset({R.TREATMENT}), Scope.DECIDE),
    CorrectTreatment: AccessRule(frozenset({R.TREATMENT}), Scope.DECIDE),
    RetractTreatment: AccessRule(frozenset({R.TREATMENT, R.INSPECTOR}), Scope.DECIDE),
    DecideTreatment: AccessRule(frozenset({R.INSPECTOR}), Scope.DECIDE),
    RetractTreatmentDecision: AccessRule(frozenset({R.INSPECTOR}), Scope.DECIDE),
    PlaceHold: AccessRule(_OFFICERS, Scope.DECIDE),
    LiftHold: AccessRule(frozenset({R.TARGETING, R.RELEASE}), Scope.DECIDE),
    RetractLift: AccessRule(frozenset({R.TARGETING, R.RELEASE}), Scope.DECIDE),
    RecordContainerFinding: AccessRule(frozenset({R.INSPECTOR, R.RELEASE}), Scope.DECIDE),
    RetractContainerFinding: AccessRule(frozenset({R.INSPECTOR, R.RELEASE}), Scope.DECIDE),
    StrikeLot: AccessRule(frozenset({R.INSPECTOR, R.RELEASE}), Scope.DECIDE),
    RetractStrike: AccessRule(frozenset({R.INSPECTOR, R.RELEASE}), Scope.DECIDE),
    PermitExit: AccessRule(frozenset({R.RELEASE}), Scope.DECIDE),
    PlaceContainerHold: AccessRule(_OFFICERS, Scope.DECIDE),
    LiftContainerHold: AccessRule(frozenset({R.TARGETING, R.RELEASE}), Scope.DECIDE),
    PlaceWatch: AccessRule(_LISTING, Scope.DECIDE),
    LiftWatch: AccessRule(_LISTING, Scope.DECIDE),
}
"""Kind of request to a desk → who may send it. Nobody may send a kind that is not listed."""


FORMS: dict[str, dict[str, type[Request]]] = {
    "consignments": {
        "findings": RecordFindings,
        "correct-findings": CorrectFindings,
        "retract-findings": RetractFindings,
        "treatment": RecordTreatment,
        "treatment-decision": DecideTreatment,
        "retract-treatment": RetractTreatment,
        "retract-decision": RetractTreatmentDecision,
        "arrival": ReportArrival,
        "retract-arrival": RetractArrival,
        "hold": PlaceHold,
        "lift": LiftHold,
        "retract-lift": RetractLift,
        "withdraw": WithdrawDeclaration,
    },
    "containers": {
        "event": RecordEquipmentEvent,
        "retract": RetractEquipmentEvent,
        "finding": RecordContainerFinding,
        "retract-finding": RetractContainerFinding,
        "strike": StrikeLot,
        "retract-strike": RetractStrike,
        "permit": PermitExit,
        "hold": PlaceContainerHold,
        "lift": LiftContainerHold,
        "gate-out": RecordGateOut,
    },
    "watches": {"place": PlaceWatch, "lift": LiftWatch},
}
"""Page of goods, containers or watches → name of a form on it → the request that the form sends. A page shows the forms whose request
its reader may send."""


def _asking(*kinds: type[Request]) -> AccessRule:
    """Returns the rule of a route that takes requests of these kinds. The route is open to each role that may send at
    least one of these kinds. When the kind of a request is known, the rule of that kind is checked."""
    rights = [ASKS[kind] for kind in kinds]
    return AccessRule(frozenset().union(*[right.roles for right in rights]), rights[0].scope)


def _of_forms(page: str) -> AccessRule:
    """Returns the rule of the route that takes the forms of a page. The rule allows every role that may send at least
    one of these forms."""
    return AccessRule(_asking(*FORMS[page].values()).roles, Scope.DECIDE)


_READ_GOODS = AccessRule(_GOODS, Scope.READ)
_READ_BOXES = AccessRule(_BOXES, Scope.GATE)
READ_MESSAGES = AccessRule(_BOXES, Scope.READ)
READ_WATCHES = AccessRule(_LISTING | {R.AUDITOR}, Scope.READ)
"""Who may read watches. A watch is about a bill or a declarant at every office, so every reader gets the same list, whatever goods the
reader may see."""
_BOARD = AccessRule(CUSTOMS, Scope.READ)
_FEED = AccessRule(_PORTS | _WATCHING, Scope.GATE)
READ_PEOPLE = AccessRule(frozenset({R.AUDITOR, R.ADMINISTRATOR}), Scope.READ)
"""Who may read accounts, keys and grants, and the requests of other people. Everybody may read their own requests."""
GIVE_RIGHTS = AccessRule(frozenset({R.ADMINISTRATOR}), Scope.GRANT)
GIVING = (
    "make",
    "change",
    "close",
    "open",
    "password",
    "end-sessions",
    "make-key",
    "rotate-key",
    "revoke-key",
    "authorise",
    "end-authorisation",
)
"""The names of the forms on the pages of accounts."""
_OPERATE = AccessRule(_WATCHING | {R.ADMINISTRATOR}, Scope.OPERATE)
_PARKED = AccessRule(_WATCHING, Scope.OPERATE)
_SIGNED_IN = AccessRule(ANYBODY, None)
GOODS, BOXES = "/api/v1/consignments/{consignment_id}", "/api/v1/containers/{container_no}"
ROUTES: dict[tuple[str, str], AccessRule | Open] = {
    ("GET", "/livez"): Open(),
    ("GET", "/readyz"): Open(),
    ("GET", "/docs"): Open(page=True),
    ("GET", "/docs/codes/{table}"): Open(page=True),
    ("GET", "/problems"): Open(page=True),
    ("GET", "/problems/{code}"): Open(page=True),
    ("GET", "/rights"): Open(page=True),
    ("GET", "/sign-in"): Open(page=True),
    ("POST", "/sign-in"): Open(),
    ("POST", "/sign-out"): _SIGNED_IN,
    ("GET", "/password"): _SIGNED_IN,
    ("POST", "/password"): _SIGNED_IN,
    ("GET", "/api/v1/me"): _SIGNED_IN,
    ("GET", "/metrics"): _OPERATE,
    # declarations
    ("POST", "/api/v1/declarations"): _asking(LodgeDeclaration),
    ("POST", "/api/v1/declarations/batch"): _asking(LodgeDeclaration),
    ("GET", "/lodge"): _asking(LodgeDeclaration),
    ("POST", "/lodge"): _asking(LodgeDeclaration),
    ("POST", f"{GOODS}/withdrawal"): _asking(WithdrawDeclaration),
    # requests about goods
    ("POST", f"{GOODS}/arrival"): _asking(ReportArrival),
    ("POST", f"{GOODS}/arrival/retraction"): _asking(RetractArrival),
    ("POST", f"{GOODS}/findings"): _asking(RecordFindings),
    ("POST", f"{GOODS}/findings/correction"): _asking(CorrectFindings),
    ("POST", f"{GOODS}/findings/retraction"): _asking(RetractFindings),
    ("POST", f"{GOODS}/treatments"): _asking(RecordTreatment),
    ("POST", f"{GOODS}/treatments/correction"): _asking(CorrectTreatment),
    ("POST", f"{GOODS}/treatments/retraction"): _asking(RetractTreatment),
    ("POST", f"{GOODS}/treatment-decisions"): _asking(DecideTreatment),
    ("POST", f"{GOODS}/treatment-decisions/retraction"): _asking(RetractTreatmentDecision),
    ("POST", f"{GOODS}/holds"): _asking(PlaceHold),
    ("POST", f"{GOODS}/holds/lift"): _asking(LiftHold),
    ("POST", f"{GOODS}/holds/lift/retraction"): _asking(RetractLift),
    # requests about containers
    ("POST", f"{BOXES}/gate-outs"): _asking(RecordGateOut),
    ("POST", f"{BOXES}/events"): _asking(RecordEquipmentEvent),
    ("POST", f"{BOXES}/events/{{report_id}}/retraction"): _asking(RetractEquipmentEvent),
    ("POST", f"{BOXES}/findings"): _asking(RecordContainerFinding),
    ("POST", f"{BOXES}/findings/retraction"): _asking(RetractContainerFinding),
    ("POST", f"{BOXES}/strikes"): _asking(StrikeLot),
    ("POST", f"{BOXES}/strikes/retraction"): _asking(RetractStrike),
    ("POST", f"{BOXES}/permits"): _asking(PermitExit),
    ("POST", f"{BOXES}/holds"): _asking(PlaceContainerHold),
    ("POST", f"{BOXES}/holds/{{hold_id}}/lift"): _asking(LiftContainerHold),
    # watches
    ("GET", "/api/v1/watches"): READ_WATCHES,
    ("POST", "/api/v1/watches"): _asking(PlaceWatch),
    ("POST", "/api/v1/watches/{watch_id}/lift"): _asking(LiftWatch),
    ("GET", "/watches"): READ_WATCHES,
    ("POST", "/watches/act/place"): _asking(PlaceWatch),
    ("POST", "/watches/act/lift"): _asking(LiftWatch),
    # forms: the rule of the request that a form makes is checked as soon as the kind of the request is known
    ("POST", "/consignments/{consignment_id}/act/{act}"): _of_forms("consignments"),
    ("POST", "/containers/{container_no}/act/{act}"): _of_forms("containers"),
    # goods
    ("GET", GOODS): _READ_GOODS,
    ("GET", f"{GOODS}/timeline"): _READ_GOODS,
    ("GET", "/api/v1/consignments"): _READ_GOODS,
    ("GET", "/consignments"): _READ_GOODS,
    ("GET", "/consignments.csv"): _READ_GOODS,
    ("GET", "/consignments/{consignment_id}"): _READ_GOODS,
    ("GET", "/consignments/{consignment_id}/live"): _READ_GOODS,
    ("GET", "/consignments/{key}/messages/{message_id}"): _READ_GOODS,
    ("GET", "/api/v1/unmatched"): AccessRule(CUSTOMS, Scope.READ),
    ("GET", "/unmatched"): AccessRule(CUSTOMS, Scope.READ),
    # containers, the gate question, and the contents of messages about goods or containers
    ("GET", BOXES): _READ_BOXES,
    ("GET", f"{BOXES}/events"): _READ_BOXES,
    ("GET", "/containers"): _READ_BOXES,
    ("GET", "/containers/{container_no}"): _READ_BOXES,
    ("GET", "/containers/{container_no}/live"): _READ_BOXES,
    ("GET", "/containers/{key}/messages/{message_id}"): READ_MESSAGES,
    ("GET", "/api/v1/messages/{key}/{message_id}"): READ_MESSAGES,
    # what became of a request: for its sender, and for accounts that may see the goods
    ("GET", "/api/v1/requests/{request_id}"): _SIGNED_IN,
    ("GET", "/requests/{request_id}"): _SIGNED_IN,
    # the feed that ports read
    ("GET", "/api/v1/releases"): _FEED,
    ("GET", "/api/v1/releases/stream"): _FEED,
    # accounts of people and programs
    ("GET", "/accounts"): READ_PEOPLE,
    ("GET", "/account"): READ_PEOPLE,
    ("GET", "/grants"): READ_PEOPLE,
    **{("POST", f"/accounts/act/{act}"): GIVE_RIGHTS for act in GIVING},
    ("GET", "/activity"): AccessRule(ANYBODY, Scope.READ),
    # lists and counts over all goods
    ("GET", "/"): _SIGNED_IN,
    ("GET", "/board"): _BOARD,
    ("GET", "/api/v1/stages"): _BOARD,
    ("GET", "/api/v1/alarms"): _BOARD,
    ("GET", "/alarms"): _BOARD,
    ("GET", "/api/v1/parked"): _PARKED,
    ("GET", "/parked"): _PARKED,
}
"""Method and path of every route of the console → who may use it. A request to a route that is not listed is answered
403; a test checks that every route is listed."""
READS: dict[str, str] = {
    GOODS: "consignment_id",
    f"{GOODS}/timeline": "consignment_id",
    "/consignments/{consignment_id}": "consignment_id",
    "/consignments/{consignment_id}/live": "consignment_id",
    "/consignments/{key}/messages/{message_id}": "key",
    BOXES: "container_no",
    f"{BOXES}/events": "container_no",
    "/containers/{container_no}": "container_no",
    "/containers/{container_no}/live": "container_no",
    "/containers/{key}/messages/{message_id}": "key",
    "/api/v1/messages/{key}/{message_id}": "key",
    **dict.fromkeys(
        ("/watches", "/api/v1/watches", "/alarms", "/api/v1/alarms", "/unmatched", "/api/v1/unmatched"), ""
    ),
    **dict.fromkeys(
        ("/consignments", "/api/v1/consignments", "/consignments.csv", "/", "/board", "/api/v1/stages"), ""
    ),
    **dict.fromkeys(("/parked", "/api/v1/parked"), ""),
    **dict.fromkeys(("/api/v1/releases", "/api/v1/releases/stream"), ""),
}
"""Routes by which accounts of customs read fields that are masked for others → the parameter of the path that names the
goods or the container. The parameter is empty for a list, because the reading of a list is noted under the list's
address.

Some answers are about goods that the address does not name: what a search found, the goods of a request, a page that
shows a form again. The function that makes such an answer calls `services.console.access.readings.note_told`, which
notes the reading."""
EVERY_COMPANY = "*"
"""Stands for all companies. Only accounts in a sandbox and in tests may have it as their company."""
EVERY_OFFICE = "0000"
"""The office code of the General Administration, which stands for all districts."""


def covers(office: str, other: str) -> bool:
    """Returns whether an officer of `office` is responsible for goods declared at `other`. Both are codes of customs offices with four
    digits. The first two digits are the district, and a code that ends in 00 means the whole district. If `other` is empty, the goods
    were not declared yet and belong to no office, so this is true for every officer."""
    if not other or office == EVERY_OFFICE:
        return True
    return office == other or (office[2:] == "00" and office[:2] == other[:2])


def misnamed(name: str, company: str) -> bool:
    """Returns whether an account of this name would look like another company, because the name is a unified social
    credit code, but not the code of the account's own company."""
    return name != company and is_valid(name)


class Who(NamedTuple):
    """An account that has signed in, or whose key was accepted. `actor`: its name; `clients`: the companies that authorise this agent
    now; `scopes`: the scopes of the key (a person's session has all). `csrf`: the secret that forms of this session must contain, empty
    for a key; `session`: a digest that identifies the session, empty for a key. `must_change`: the account still has a one-time
    password."""

    actor: str
    roles: frozenset[Role]
    company: str = ""
    office: str = ""
    clients: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = frozenset(Scope)
    csrf: str = ""
    session: str = ""
    must_change: bool = False

    def may(self, right: AccessRule) -> bool:
        """Returns whether the account's roles and the scopes of its key suffice for this right. This does not check whether the account
        may see certain goods (see `sees`)."""
        return right.scope in (None, *self.scopes) and (not right.roles or not right.roles.isdisjoint(self.roles))

    def forms(self, page: str) -> frozenset[str]:
        """Returns the names of the forms on a page that this account may send. `page`: `consignments`, `containers`, `watches` or
        `accounts`."""
        if page == "accounts":
            return frozenset(GIVING if self.may(GIVE_RIGHTS) else ())
        return frozenset([name for name, kind in FORMS[page].items() if self.may_ask(kind)])

    def may_open(self, address: str) -> bool:
        """Returns whether this account may read the page at this address, which must be a path of `ROUTES`."""
        right = ROUTES["GET", address]
        return isinstance(right, Open) or (bool(self.actor) and self.may(right))

    def knows_goods(self) -> bool:
        """Returns whether this account may see any goods at all. A carrier or terminal sees only containers."""
        return bool(self.goods_roles())

    def goods_roles(self) -> frozenset[Role]:
        """Returns the roles of this account that may see goods."""
        return self.roles & _GOODS

    def of_customs(self) -> bool:
        """Returns whether this account belongs to customs. Only accounts of customs may read the remarks of officers."""
        return not self.roles.isdisjoint(CUSTOMS)

    def audience(self) -> Audience | None:
        """Returns the audience for which answers to this account are masked; None for an account of customs, whose answers are not
        masked."""
        if self.of_customs():
            return None
        return Audience.PORT if self.roles.isdisjoint(_GOODS) else Audience.DECLARANT

    def may_ask(self, kind: type[Request]) -> bool:
        """Returns whether this account may send requests of this kind at all."""
        return kind in ASKS and self.may(ASKS[kind])

    def companies(self) -> frozenset[str]:
        """Returns the companies whose goods this account may declare and see as its own. `*` among them stands for all companies."""
        found = set[str]()
        if self.company and not self.roles.isdisjoint(_DECLARING):
            found.add(self.company)
        if Role.AGENT in self.roles:
            found |= self.clients - {EVERY_COMPANY}
        return frozenset(found)

    def reaches(self, roles: frozenset[Role] = ANYBODY) -> frozenset[Reach]:
        """Returns the reach of each role of this account. `roles`: if given, only these roles of the account count."""
        return frozenset([REACH[role] for role in self.roles if not roles or role in roles])

    def sees(self, declarant: str, office: str, roles: frozenset[Role] = ANYBODY, *, complete: bool = True) -> bool:
        """Returns whether this account may see goods of this declarant that were declared at this office. `roles`: if given, only these
        roles of the account count.

        Declarant and office are empty if the rows do not have them. If the rows are `complete`, goods without an office are undeclared,
        and every officer sees them. If the rows are not complete, the office of such goods is unknown, and only officers of the General
        Administration see them.
        """
        reaches = self.reaches(roles)
        if Reach.ANY in reaches:
            return True
        if Reach.COMPANY in reaches and self.of_own_company(declarant):
            return True
        if not (office or complete):
            return Reach.OFFICE in reaches and self.office == EVERY_OFFICE
        return Reach.OFFICE in reaches and covers(self.office, office)

    def of_own_company(self, declarant: str) -> bool:
        """Returns whether this account may lodge declarations of this declarant."""
        own = self.companies()
        return EVERY_COMPANY in own or (bool(declarant) and declarant in own)

    def sees_everything(self, roles: frozenset[Role] = ANYBODY) -> bool:
        """Returns whether this account sees all goods. If it does, no list has to be filtered for it. `roles`: if given, only these
        roles of the account count. A right of one role does not extend to goods that only another role may see."""
        reaches = self.reaches(roles)
        every_office = Reach.OFFICE in reaches and self.office == EVERY_OFFICE
        every_company = Reach.COMPANY in reaches and EVERY_COMPANY in self.companies()
        return Reach.ANY in reaches or every_office or every_company

    def behalf(self, kind: type[Request], declarant: str = "") -> str | None:
        """Returns the company on whose behalf this account sends a request. To lodge or withdraw a declaration, this is
        `declarant`; for a request of a carrier or terminal, it is the account's own company. Returns None for all other
        kinds of requests, if the account has no single company, and if the account's name is the code of that
        company."""
        if kind in (LodgeDeclaration, WithdrawDeclaration):
            behalf = declarant
        elif not ASKS[kind].roles.isdisjoint(_PORTS) and self.company != EVERY_COMPANY:
            behalf = self.company
        else:
            behalf = ""
        return None if behalf in ("", self.actor) else behalf
