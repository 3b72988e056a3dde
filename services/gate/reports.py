"""How does the report of an equipment event change the record of a container, and who may take the report back?"""

from dataclasses import replace

from schemas.bounds import shown
from schemas.codes.iso6346 import is_well_formed, plain
from schemas.codes.refusals import RefusalCode
from schemas.envelope import EventTime, Hearing, event_time
from schemas.gate import RecordEquipmentEvent, RecordGateOut, RetractEquipmentEvent
from schemas.phrases import Phrase, phrase
from schemas.vocabulary import Classifier, EquipmentEvent
from services.gate.box import Box, Report
from services.gate.keeping import Addition, noted
from services.gate.messages import Reported

MOST_REPORTS = 500
"""The most equipment events that are stored for one container."""


def add_report(box: Box, message: Reported, hearing: Hearing) -> Addition:
    """Adds a report. If it corrects another report, that one becomes void. The report is refused if its container
    number is malformed, if it is too old, if there is no room for it (`MOST_REPORTS`), or if its sender may not correct
    that other report."""
    if any(r.id == hearing.message_id for r in box.reports) or hearing.message_id in box.answered:
        return Addition(box)
    report = _report(message, hearing)
    if box == Box() and not is_well_formed(message.container_no):
        return Addition(
            box, (RefusalCode.CONTAINER_MALFORMED, phrase("no_container_number", number=message.container_no))
        )
    if box.forgotten is not None and report.at <= box.forgotten:
        return Addition(box, (RefusalCode.VISIT_TOO_OLD, phrase("kept_since", event=report.at, since=box.forgotten)))
    reports = box.reports
    if len(reports) >= MOST_REPORTS:
        spare = next(
            (r for r in reports if r.classifier is not Classifier.ACTUAL or r.event is EquipmentEvent.MOVED), None
        )
        if spare is None:
            return Addition(box, (RefusalCode.TOO_MANY_REPORTS, phrase("reports_kept", count=len(reports))))
        reports = tuple([r for r in reports if r is not spare])
    if isinstance(message, RecordEquipmentEvent) and message.replaces:
        why_not = _why_not_his(box, message.replaces, message.principal)
        if why_not:
            return Addition(box, why_not)
        reports = voided(reports, {message.replaces})
    return Addition(replace(box, reports=(*reports, report)))


def time_of(message: Reported, hearing: Hearing) -> EventTime:
    """Returns the time of the event that is reported. An event that is estimated or planned keeps the time in the report."""
    if isinstance(message, RecordEquipmentEvent) and message.classifier is not Classifier.ACTUAL:
        return EventTime(message.occurred_at)
    return event_time(message.occurred_at, hearing)


def _report(message: Reported, hearing: Hearing) -> Report:
    at = time_of(message, hearing).at
    if isinstance(message, RecordGateOut):
        return Report(
            id=hearing.message_id,
            event=EquipmentEvent.GATED_OUT,
            classifier=Classifier.ACTUAL,
            at=at,
            heard=hearing.sent,
            place=message.gate,
            sender=message.principal,
        )
    return Report(
        id=hearing.message_id,
        event=message.event,
        classifier=message.classifier,
        at=at,
        heard=hearing.sent,
        place=message.place,
        sender=message.principal,
        laden=message.laden,
        conveyance=message.conveyance,
        to=message.to,
        sources=_others(message.sources, message.container_no, message.event is EquipmentEvent.STUFFED),
        targets=_others(message.targets, message.container_no, message.event is EquipmentEvent.STRIPPED),
    )


def _others(numbers: tuple[str, ...], own: str, applies: bool) -> tuple[str, ...]:
    """Returns the numbers of other containers in the form that all desks use, each once. The result is empty if the
    event is of a kind without such containers (`applies` is False)."""
    plain_ones = dict.fromkeys([plain(shown(number, 17)) for number in numbers]) if applies else {}
    return tuple([number for number in plain_ones if number and number != own])


def _why_not_his(box: Box, report_id: str, sender: str) -> tuple[RefusalCode, Phrase] | None:
    report = next((r for r in box.reports if r.id == report_id), None)
    if report is None:
        return RefusalCode.REPORT_UNKNOWN, phrase("named", name=report_id)
    if report.sender != sender:
        return RefusalCode.NOT_THE_SENDER, phrase("told_by_another", report=report_id)
    if report.void:
        return RefusalCode.ALREADY_ANSWERED, phrase("counts_no_longer", report=report_id)
    return None


def voided(reports: tuple[Report, ...], names: set[str]) -> tuple[Report, ...]:
    """Returns the reports, in which those with these ids are void."""
    return tuple([replace(r, void=True) if r.id in names else r for r in reports])


def retract_report(box: Box, message: RetractEquipmentEvent, hearing: Hearing) -> Addition:
    """Takes a report back, so that it has no effect any more. The request is refused if another company sent the
    report, or if the report is not known or no longer counts."""
    if hearing.message_id in box.answered:
        return Addition(box)
    why_not = _why_not_his(box, message.report_id, message.principal)
    if why_not:
        return Addition(box, why_not)
    return Addition(noted(replace(box, reports=voided(box.reports, {message.report_id})), hearing))
