"""How are rows and facts written on a page, in one language? These functions format times, ages and names of codes, and make the line for each
kind of fact."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from schemas import hold_ids
from schemas.codes.bilingual import NAMELESS, Bilingual
from schemas.codes.offices import DISTRICTS, OFFICES, is_of_district
from schemas.codes.trade import PACKAGE_KINDS, TRADE_MODES
from schemas.codes.units import UNITS
from schemas.quarantine import TreatmentOrdered
from schemas.vocabulary import CHINA, GoodsClass, Severity
from services.console.access.rights import Scope
from services.console.api.documents import awaited, owner_words
from services.console.api.views import ConsignmentView, Entry, GateView, HoldView, RequestView, StayView, Text, Waiting
from services.console.language import code_names
from services.console.language.desk_sentences import (
    each_in_words,
    in_words,
    in_words_of,
    phrases_of,
    same_goods,
    why_of,
    wrote,
)
from services.console.language.words import Language, check, known, refusal, say
from services.console.pages import tones
from services.console.pages.tones import Tone
from services.console.pages.treatment_minima import Minimum, minima
from services.console.readmodel.consignment import AwaitedCode

BEIJING = CHINA
LONGEST_TEXT = 500
Body = Mapping[str, Any]
GRANT_FIELDS, GRANT_WORDS = ("roles", "company", "office", "closed"), ("until", "from", "no end")
IN_GRANTS = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d\+00:00)"
    rf"|(?<!\S)(?P<field>{'|'.join(GRANT_FIELDS)})=(?P<value>[^ (]*)"
    rf"|\(was (?P<was>[^)]*)\)|(?<!\S)(?P<word>{'|'.join(GRANT_WORDS)})(?!\S)"
)
"""Matches the parts of a grant's detail that are written for programs: times in UTC, fields, earlier values, and the words between them."""
CHANGED_ROLES = re.compile(r"roles=([a-z ]*) \(was ([a-z ]*)\)")
ISO_TIME = re.compile(r"(?<!\d)\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)(?!\d)")
"""Matches a time in ISO 8601 form with a UTC offset. Desks and the API write times in this form in their sentences."""


@dataclass(frozen=True)
class Sight:
    """Formats values for a page in one language; ages are counted until `now`. Templates call it `s`."""

    language: Language
    now: datetime

    def t(self, key: str, **values: object) -> str:
        """Returns the sentence `key` of words.toml with its parameters filled."""
        return say(key, self.language, **values)

    def of(self, text: Text) -> str:
        """Returns the text in the page's language, with its times formatted as on the rest of the page."""
        return self.times(text.zh if self.language == "zh" else text.en)

    def name(self, group: str, code: str) -> str:
        """Returns the name of a code; the code itself if words.toml does not have it. `group`: the group of words.toml."""
        return known(f"{group}.{code}", self.language, code)

    def owner(self, code: str, roles: Sequence[str] = ()) -> str:
        text = owner_words(code, roles)
        return text.zh if self.language == "zh" else text.en

    def whose(self, one: Waiting | HoldView | StayView) -> str:
        """Returns who has to act. If an officer has to, returns the names of the roles that may do so."""
        return self.owner(one.owner, one.roles)

    def desk(self, service: str) -> str:
        """Returns the name of the desk of this service. If words.toml has none, returns the name that `owner` returns."""
        return known(f"desks.{service}", self.language, self.owner(service))

    def origin(self, code: str) -> str:
        """Returns the name of what made a treatment necessary: the risk desk, or the control that found the pest."""
        return self.owner(code) if code == "risk" else self.name("controls", code)

    def awaited(self, hold_id: str) -> str:
        text = awaited(hold_id)
        return text.zh if self.language == "zh" else text.en

    def kind(self, code: str) -> str:
        return self.name("kinds", code)

    def rule(self, code: str) -> str:
        """Returns the text about a rule of the risk desk; the name of the rule if this software version does not know it."""
        return self.name("rules", code)

    def check(self, code: str) -> str:
        text = check(code)
        return text.zh if self.language == "zh" else text.en

    def refusal(self, code: str) -> str:
        text = refusal(code)
        return text.zh if self.language == "zh" else text.en

    def office(self, code: str) -> str:
        """Returns the code and the name of a customs office. If only the district is known, returns the name of the district."""
        name = OFFICES.get(code) or (DISTRICTS[code[:2]] if is_of_district(code) else NAMELESS)
        return f"{code} {self.half(name)}".strip()

    def trade_mode(self, code: str) -> str:
        return f"{code} {self.half(TRADE_MODES.get(code, NAMELESS))}".strip()

    def half(self, both: Bilingual) -> str:
        """Returns the text in the page's language; if that text is empty, the text in the other language."""
        return both.zh or both.en if self.language == "zh" else both.en or both.zh

    def unit(self, code: str) -> str:
        """Returns the name of a unit of quantity; the code itself if the table does not have it."""
        return self.half(UNITS.get(code, Bilingual(code, code)))

    def country(self, code: str) -> str:
        """Returns the name of a country, and its code; the code alone if no name is known."""
        return f"{self.half(code_names.country(code))} {code}".strip()

    def package_kind(self, code: str) -> str:
        return self.half(PACKAGE_KINDS.get(code, Bilingual(code, code)))

    def amount(self, value: Decimal) -> str:
        """Returns a quantity, mass or price as a text, with commas between thousands and without trailing zeros."""
        return f"{value + 0:,.{max(0, -_exponent(value))}f}"  # `+ 0` turns -0 into 0

    def minima(self, order: TreatmentOrdered) -> list[Minimum]:
        """Returns what a record of this treatment must show, for each method."""
        return minima(order, self.language)

    def others(self, goods: ConsignmentView) -> list[HoldView]:
        """Returns the open holds that `goods.waiting` does not name. If it names an officer's finding at the gate, this counts as naming all
        holds of the gate, because one finding answers them all."""
        named = goods.waiting.waiting_for if goods.waiting else ""
        if named == AwaitedCode.GATE_FINDING:
            return [hold for hold in goods.holds if not hold_ids.is_of_departure(hold.hold_id)]
        return [hold for hold in goods.holds if hold.hold_id != named]

    def also(self, goods: ConsignmentView) -> list[str]:
        """Returns what the goods wait for besides `goods.waiting`, as sentences. Several holds with the same sentence
        become one sentence that says how many they are."""
        counted = Counter([(self.awaited(hold.hold_id), self.whose(hold)) for hold in self.others(goods)])
        first = goods.waiting and (self.awaited(goods.waiting.waiting_for), self.whose(goods.waiting))
        return [
            self.t("consignment.also", what=what, owner=owner)
            if count == 1 and (what, owner) != first
            else self.t("consignment.also_same", what=what, owner=owner, count=count)
            for (what, owner), count in counted.items()
        ]

    def detail(self, box: GateView) -> str:
        """Returns the detail of the gate's answer, without the part that repeats the first sentence of the answer."""
        if box.reason == "gated_out":
            return ""  # the detail is the name of the gate, which the first sentence already gives
        counted = self.t("written.lots_released", count=box.lots_released, all=box.lots, why="")
        return self.of(box.detail_text).removeprefix(counted)

    def message_text(self, message: BaseModel, field: str = "reason") -> str:
        """Returns the text in this field of a message. The sentence of a desk is in the page's language; a text that a person wrote is
        unchanged."""
        text = str(getattr(message, field))
        if not {"phrases", "phrase"} & type(message).model_fields.keys():
            return self.wrote(text)
        phrases = getattr(message, "phrases", ()) or [each for each in [getattr(message, "phrase", None)] if each]
        sentence = in_words_of(phrases)
        return self._desk(in_words(text) if sentence is None else sentence)

    def kept(self, reason: str) -> str:
        """Returns the reason in a row of the read model, in the page's language."""
        return self._desk(in_words(reason))

    def wrote(self, text: str) -> str:
        """Returns a text that a person wrote, unchanged. If the text could not be read, returns the sentence that says
        so."""
        return self.half(wrote(text))

    def why(self, fact: Body) -> str:
        """Returns the reason of a fact, in the page's language."""
        return self._desk(why_of(fact))

    def phrases(self, phrases: Sequence[Any]) -> str:
        """Returns the sentence of these phrases, whose codes words.toml must have. Raises TypeError if a value in a phrase is not a text."""
        sentence = in_words_of(phrases)
        if sentence is None:
            raise TypeError("a value of the message is no text")
        return self._desk(sentence)

    def shortfalls(self, fact: Body) -> str:
        """Returns the sentences that say what a record of a treatment lacks."""
        sentences = each_in_words(phrases_of(fact)) or [in_words(each) for each in fact["shortfalls"]]
        return ("；" if self.language == "zh" else "; ").join([self._desk(each) for each in sentences])

    def _desk(self, sentence: Bilingual) -> str:
        """Returns the sentence of a desk in the page's language, with times as on the rest of the page."""
        return self.times(self.half(sentence))

    # colours

    def tone(self, kind: str, part: bool = False) -> Tone:
        """Returns the colour of a kind of message. `part`: the message is about some of the goods only."""
        return tones.of_kind(kind, part)

    def stage_tone(self, stage: str | None) -> Tone:
        """Returns the colour of a stage; plain if this software version does not know the stage."""
        return tones.STAGES.get(stage or "", "plain")

    def box_tone(self, reason: str) -> Tone:
        return tones.of_box(reason)

    def request_tone(self, request: RequestView) -> Tone:
        return tones.of_request(request.outcome, [answer.kind for answer in request.answers])

    # times

    def time(self, moment: datetime | str | None, seconds: bool = True) -> str:
        """Returns the time in Beijing as a text; empty if there is no time. A time of the current year is written without the year, and with
        seconds if `seconds` is true; a time of another year has the year and no seconds."""
        parsed = _parsed(moment)
        if parsed is None:
            return ""
        there, here = parsed.astimezone(BEIJING), self.now.astimezone(BEIJING)
        same_year = there.year == here.year
        return f"{there:%m-%d %H:%M{':%S' if seconds else ''}}" if same_year else f"{there:%Y-%m-%d %H:%M}"

    def minute(self, moment: datetime | str | None) -> str:
        """Returns the same as `time`, but without seconds."""
        return self.time(moment, seconds=False)

    def times(self, sentence: str) -> str:
        """Returns the sentence with its times (see `ISO_TIME`) formatted as on the rest of the page. Seconds are left
        out if they are zero."""

        def of_reader(found: re.Match[str]) -> str:
            moment = _parsed(found[0])
            try:
                return self.time(moment, seconds=moment.second != 0) if moment else found[0]
            except OverflowError:  # the time in Beijing would be before the year 1 or after the year 9999
                return found[0]

        return ISO_TIME.sub(of_reader, sentence)

    def listed(self, group: str, codes: str) -> str:
        """Returns the names of codes. `codes`: the codes, separated by blanks."""
        return ("、" if self.language == "zh" else ", ").join([self.name(group, code) for code in codes.split()])

    def granted(self, detail: str, what: str = "") -> str:
        """Returns the detail of a grant in the page's language, with times in Beijing. Names are unchanged. `what`: the kind of the grant,
        which shows whether a word is the code of a role or scope, or a name that is spelled like one."""
        if what == "key made" and " " in detail:
            key_id, _, rest = detail.partition(" ")
            scopes, until, end = rest.partition(" until ")
            uses = self.t("accounts.every_use") if set(scopes.split()) == set(Scope) else self.listed("scopes", scopes)
            return f"{key_id} {uses}{self._grant(until + end)}"
        if what in ("authorised", "authorisation ended"):
            return self.t("accounts.acts_for", company=self._grant(detail))
        if what == "account made" and " company=" in detail:
            roles, company, rest = detail.partition(" company=")
            return self.listed("roles", roles) + self._grant(company + rest)
        if what == "account changed" and (changed := CHANGED_ROLES.match(detail)):
            now, before = [self.listed("roles", roles) or "—" for roles in changed.groups()]
            field = self.t("accounts.field", name=self.name("grant_details", "roles"), value=now)
            return f"{field} {self.t('accounts.was', before=before)}{self._grant(detail[changed.end() :])}"
        return self._grant(detail)

    def _grant(self, detail: str) -> str:

        def in_language(found: re.Match[str]) -> str:
            if found["time"]:
                return self.minute(found["time"])
            if found["field"]:
                name = self.name("grant_details", found["field"])
                return self.t("accounts.field", name=name, value=self._grant_value(found["value"]))
            if found["was"] is not None:
                return self.t("accounts.was", before=self._grant_value(found["was"]))
            return self.name("grant_details", found["word"].replace(" ", "_"))

        return IN_GRANTS.sub(in_language, detail)

    def _grant_value(self, value: str) -> str:
        if value in ("True", "False"):
            return self.t("yes_no.true" if value == "True" else "yes_no.false")
        return value or "—"

    def age(self, moment: datetime | None) -> str:
        """Returns how long ago this time was, until `now`; an empty text if there is no time."""
        return "" if moment is None else self.duration((self.now - moment).total_seconds())

    def duration(self, seconds: float | None) -> str:
        """Returns a duration as a text, in its two largest units; a dash if it is None."""
        if seconds is None:
            return "–"
        left = max(0, int(seconds))
        if left == 0 and seconds > 0:
            return self.t("units.seconds", n=f"{seconds:.1f}" if seconds >= 0.1 else "<0.1")
        parts: list[str] = []
        for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
            if left >= size or (unit == "seconds" and not parts):
                parts.append(self.t(f"units.{unit}", n=left // size))
                left %= size
            elif parts:
                break
            if len(parts) == 2:
                break
        return " ".join(parts)

    def number(self, count: int) -> str:
        return f"{count:,}"

    # facts

    def summary(self, entry: Entry) -> str:
        """Returns the line that a timeline shows beside the kind of a message; an empty text if the kind needs none."""
        line = _LINES.get(entry.kind)
        body = entry.body
        if body is None or line is None or "unreadable" in body:
            return ""
        try:
            return clipped(line(self, body))
        except (KeyError, TypeError, AttributeError):
            return ""  # the message does not have the shape of its kind; the timeline shows its content

    def controls(self, codes: Any) -> str:
        return ("、" if self.language == "zh" else ", ").join([self.name("controls", str(code)) for code in codes])

    def methods(self, codes: Any) -> str:
        return ("／" if self.language == "zh" else " / ").join([self.name("methods", str(code)) for code in codes])

    def goods(self, codes: Any) -> str:
        """Returns the names of the classes of goods on which a treatment depends. If none is given, returns the name of the class of other
        goods."""
        classes = [self.name("goods_classes", str(code)) for code in codes or (GoodsClass.OTHER.value,)]
        return ("、" if self.language == "zh" else ", ").join(classes)


def clipped(text: str) -> str:
    """Returns the text, cut to the length that a list shows. The content of the message has the whole text."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _parsed(moment: datetime | str | None) -> datetime | None:
    if isinstance(moment, datetime):
        return moment
    try:
        parsed = datetime.fromisoformat(moment or "")
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else None


def _exponent(value: Decimal) -> int:
    """Returns the exponent of the last digit that is not a trailing zero."""
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _accepted(s: Sight, b: Body) -> str:
    warned = len(b.get("warnings", ()))
    key = "summary.accepted_warned" if warned else "summary.accepted"
    return s.t(key, number=b["declaration_no"], count=warned)


def _errors(b: Body) -> int:
    """Returns how many findings are errors, for which the declaration is rejected. The other findings are warnings."""
    return len([each for each in b["findings"] if each["severity"] == Severity.ERROR])


def _assessed(s: Sight, b: Body) -> str:
    lane = s.name("lanes", b["lane"])
    if not b["controls"]:
        return s.t("summary.assessed_free", lane=lane)
    return s.t("summary.assessed", lane=lane, controls=s.controls(b["controls"]))


def _held(s: Sight, b: Body) -> str:
    if not b["holds"]:
        return s.t("summary.no_holds")
    counted = Counter([s.awaited(hold["hold_id"]) for hold in b["holds"]])
    names = [name if count == 1 else f"{name} × {count}" for name, count in counted.items()]
    return s.t("summary.holds", holds=("；" if s.language == "zh" else "; ").join(names))


def _answered(why: str, by_desk: bool = False) -> Callable[[Sight, Body], str]:
    """Returns the function that makes the line for an answer to a control. `why`: the field with the reason; `by_desk`: the reason may be a
    sentence of the desk."""

    def line(s: Sight, b: Body) -> str:
        control, given = s.name("controls", b["control"]), b.get(why)
        reason = given and (s.why(b) if by_desk else s.wrote(given))
        if "officer" not in b:  # the field is masked for readers outside customs
            return s.t("summary.answer", control=control, why=reason) if reason else control
        if reason:
            return s.t("summary.answered_because", control=control, who=b["officer"], why=reason)
        return s.t("summary.answered", control=control, who=b["officer"])

    return line


def _because(s: Sight, b: Body) -> str:
    return s.t("summary.why", why=s.why(b))


def _in_person(s: Sight, b: Body) -> str:
    return s.t("summary.why", why=s.wrote(b["reason"]))


def _sent_back(s: Sight, b: Body) -> str:
    why = s.refusal(b["code"])
    return s.t("summary.sent_back", why=why, seen=s.why(b)) if "reason" in b else why


def _arrived(s: Sight, b: Body) -> str:
    return (
        s.t("summary.arrived", place=b["place"], who=s.owner(b["reported_by"]))
        if "reported_by" in b
        else str(b["place"])
    )


def _asked_by(s: Sight, b: Body) -> str:
    return s.t("summary.asked", who=b["asked_by"])


def _ordered(s: Sight, b: Body) -> str:
    return s.t("summary.ordered", control=s.name("controls", b["control"]), due=s.minute(b["due"]))


def _treat(s: Sight, b: Body) -> str:
    goods = s.name("goods_classes", b.get("goods", GoodsClass.WOOD.value))
    due = s.minute(b["due"])
    return s.t("summary.treat", goods=goods, methods=s.methods(b["methods"]), attempt=b["attempt"], due=due)


def _refer(s: Sight, b: Body) -> str:
    return s.t("summary.referred", goods=s.goods(b["goods"]), due=s.minute(b["due"]))


def _left(s: Sight, b: Body) -> str:
    key = "summary.container" if b.get("released", True) else "summary.container_unreleased"
    return s.t(key, number=b["container_no"])


def _event(s: Sight, b: Body) -> str:
    values = {"event": s.name("events", b["event"]), "place": b["place"], "who": b["reported_by"]}
    if b["classifier"] != "ACT":
        return s.t("summary.expected", classifier=s.name("classifiers", b["classifier"]), **values)
    return s.t("summary.event", **values)


def _by(who: str) -> Callable[[Sight, Body], str]:
    return lambda s, b: s.t("summary.by_for", who=b[who], why=s.wrote(b["reason"]))


def _put_back(s: Sight, b: Body) -> str:
    return _because(s, b) if b.get("phrases") else _by("retracted_by")(s, b)


def _alarm(s: Sight, b: Body) -> str:
    return s.t("summary.alarm", alarm=s.name("alarm_kinds", b.get("alarm", "left_unreleased")), why=s.why(b))


def _granted(s: Sight, b: Body) -> str:
    if b.get("holds") and b.get("pieces"):
        return s.t("summary.partly_pieces", count=b["pieces"], version=b["version"])
    if b.get("holds"):
        return s.t("summary.partly", count=len(b["containers"]), version=b["version"])
    return s.t("summary.released", version=b["version"])


def _again(s: Sight, b: Body) -> str:
    if "rule" not in b:  # it is masked
        return s.t("summary.again_outside", number=b["container_no"])
    return s.t("summary.again", found=s.phrases(same_goods(b)), rule=b["rule"], version=b["rule_set"])


def _timed(line: Callable[[Sight, Body], str]) -> Callable[[Sight, Body], str]:
    """Returns a function that makes the same line of a report as `line`. If the desk did not believe the time in the
    report, the function adds that time."""

    def with_time(s: Sight, b: Body) -> str:
        reported, short = b.get("disbelieved_time"), line(s, b)
        return s.t("summary.disbelieved", line=short, time=s.minute(reported)) if reported else short

    return with_time


_LINES: dict[str, Callable[[Sight, Body], str]] = {
    **dict.fromkeys(
        (
            "WithdrawDeclaration",
            "RecordFindings",
            "CorrectFindings",
            "RetractFindings",
            "RecordTreatment",
            "CorrectTreatment",
            "RetractTreatment",
            "DecideTreatment",
            "RetractTreatmentDecision",
            "ReportArrival",
            "RetractArrival",
            "PlaceHold",
            "LiftHold",
            "RetractLift",
            "RecordGateOut",
            "RecordEquipmentEvent",
            "RetractEquipmentEvent",
            "RecordContainerFinding",
            "RetractContainerFinding",
            "StrikeLot",
            "RetractStrike",
            "PermitExit",
            "PlaceContainerHold",
            "PlaceWatch",
            "LiftWatch",
            "LiftContainerHold",
        ),
        _asked_by,
    ),
    "DeclarationAccepted": _accepted,
    "DeclarationRejected": lambda s, b: s.t("summary.rejected", count=_errors(b)),
    "DeclarationWaits": lambda s, b: s.t("summary.why", why=b["withdrawal"]),
    "DeclarationPassedOn": lambda s, b: s.t("summary.passed_on", later=b["later"]),
    "DeclarationLodgedAgain": lambda s, b: s.t("summary.lodged_after", earlier=b["consignment_id"], number=b["number"]),
    "WithdrawalRequested": _in_person,
    "RequestRefused": _sent_back,
    "ConsignmentAssessed": _assessed,
    "InspectionOrdered": _ordered,
    "InspectionOverdue": _ordered,
    "RectificationRequested": _answered("reason", by_desk=True),
    "RectificationOverdue": _ordered,
    "FindingsRetracted": _answered("reason"),
    "InspectionPassed": _answered("remarks"),
    "InspectionFailed": _answered("reason", by_desk=True),
    "PestIntercepted": _answered("pest"),
    "InspectionCancelled": lambda s, b: s.name("controls", b["control"]),
    "TreatmentOrdered": _treat,
    "TreatmentVerified": lambda s, b: s.t(
        "summary.treated", method=s.methods([b["method"]]), schedule=b["schedule"], who=b["unit"]
    ),
    "TreatmentFailed": lambda s, b: s.t(
        "summary.not_treated",
        method=s.methods([b["method"]]),
        why=s.shortfalls(b),
    ),
    "TreatmentReferred": _refer,
    "TreatmentRetracted": _in_person,
    "TreatmentDecisionRetracted": _in_person,
    "TreatmentWaived": _in_person,
    "QuarantineRefused": _in_person,
    "TreatmentAbandoned": lambda s, b: s.t("summary.abandoned", attempts=b["attempts"]),
    "ArrivalRecorded": _timed(_arrived),
    "ArrivalRetracted": lambda s, b: s.t("summary.by_for", who=b["retracted_by"], why=s.why(b)),
    "ConsignmentHeld": _held,
    "ReleaseGranted": _granted,
    "EquipmentEventRecorded": _timed(_event),
    "EquipmentEventRetracted": _by("retracted_by"),
    "ContainerFindingRecorded": _timed(
        lambda s, b: s.t(
            "summary.found", where=s.name("found", b["found"]), who=b["found_by"], why=s.wrote(b["reason"])
        )
    ),
    "ContainerFindingRetracted": _by("retracted_by"),
    "LotStruck": _by("struck_by"),
    "StrikeRetracted": _put_back,
    "ExitPermitted": lambda s, b: s.t(
        "summary.permitted", ground=s.name("grounds", b["ground"]), who=b["permitted_by"], why=s.wrote(b["reason"])
    ),
    "ContainerHoldPlaced": _by("placed_by"),
    "WatchPlaced": _by("placed_by"),
    "WatchLifted": _by("lifted_by"),
    "ContainerHoldLifted": _by("lifted_by"),
    "VisitOpened": lambda s, b: s.t("summary.visit", place=b["place"]),
    "VisitClosed": lambda s, b: s.name("visit_ends", b["how"]),
    "ContainerArrived": lambda s, b: s.t("summary.container", number=b["container_no"]),
    "GoodsTransferred": lambda s, b: s.t(
        "summary.transferred", source=b["container_no"], targets=", ".join(b["targets"])
    ),
    "ContainerArrivalRetracted": lambda s, b: s.t("summary.container", number=b["container_no"]),
    "TransferRetracted": lambda s, b: s.t("summary.container", number=b["container_no"]),
    "ConsignmentLeftUnreleased": _because,
    "SameGoodsDeclared": _again,
    "DepartureRetracted": _because,
    "ReleaseRefused": _because,
    "ReleaseRevoked": _because,
    "RefusalRevoked": _because,
    "LiftRetracted": _in_person,
    "DeclarationWithdrawn": _in_person,
    "ContainerHeld": _because,
    "ContainerMustStay": _because,
    "ContainerGatedOut": lambda s, b: s.t("summary.gate", number=b["container_no"], gate=b["gate"]),
    "GateAlarmRaised": _alarm,
    "ConsignmentGatedOut": _left,
}
