"""Why is a request refused? The reasons, in words for people."""

from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import BilingualCode


class RefusalCode(BilingualCode):
    """The code of the reason why a request is refused, with its sentence in both languages. The code travels
    in `RequestRefused.code`."""

    REFERENCE_USED = (
        "reference_used",
        "该编号已用于另一份申报；请先撤销那份申报，或换用新编号",
        "this reference was used for another declaration: withdraw that one first, or use another reference",
    )
    REFERENCE_SPENT = (
        "reference_spent",
        "该编号下的申报已多次撤销，请换用新编号",
        "as many declarations were withdrawn under this reference as one may have; use another reference",
    )
    NOT_LODGED = ("not_lodged", "未曾申报", "nothing was lodged under this consignment")
    NOT_ACCEPTED = ("not_accepted", "该申报未被接受", "the declaration was not accepted")
    ALREADY_WITHDRAWN = (
        "already_withdrawn",
        "该申报已撤销或已申请撤销",
        "the declaration was withdrawn already, or asked to be",
    )
    CONSIGNMENT_CLOSED = ("consignment_closed", "该票货物已结", "the consignment is closed")
    CONTROLS_ORDERED = ("controls_ordered", "已布控，不得撤销", "controls are ordered; the declaration stays")
    ALREADY_RELEASED = (
        "already_released",
        "货物已放行，申报不能再撤销",
        "the goods were released: the declaration can no longer be withdrawn",
    )
    NOT_ORDERED = ("not_ordered", "未下达该指令", "nothing of the kind is ordered")
    ALREADY_ANSWERED = ("already_answered", "已由先前的请求答复", "an earlier request answered it")
    NOT_THE_LATEST = (
        "not_the_latest",
        "所指的不是现行结果",
        "the request that it calls wrong did not give the answer that stands now",
    )
    OPENED_AGAIN = (
        "opened_again",
        "该项已重新提出，所述结果针对此前的情形",
        "it speaks of what was asked before; that was opened again since",
    )
    STATED_AGAIN = (
        "stated_again",
        "放行岗此后又有新的扣留意见，请重新核查",
        "the release desk said since that the goods stay; look again",
    )
    WRONG_CONTROL = ("wrong_control", "该布控不以此方式答复", "this control is not answered this way")
    PEST_MISSING = ("pest_missing", "未写明有害生物名称", "the pest is not named")
    PEST_CONTRADICTS = ("pest_contradicts", "结果为合格却写有有害生物", "the result is in order, yet a pest is named")
    WRONG_ATTEMPT = ("wrong_attempt", "处理次数不符", "another attempt is in hand")
    NOT_REFERRED = ("not_referred", "该项处理不待关员决定", "no officer is asked to decide about this treatment")
    NO_SCHEDULE = (
        "no_schedule",
        "该货物无此处理方法的技术要求",
        "no schedule is known for this treatment of these goods",
    )
    START_MISSING = (
        "start_missing",
        "处理记录未写明开始时间",
        "the treatment record does not say when the treatment started",
    )
    BEFORE_ORDER = ("before_order", "处理开始于下达指令之前", "the treatment started before it was ordered")
    IN_FUTURE = ("in_future", "所述时间尚未到来", "it speaks of a time that has not come yet")
    READINGS_DOUBLED = (
        "readings_doubled",
        "同一取样点同一时刻有两个读数",
        "two readings were taken at one hour and one sampling place",
    )
    VALUES_IMPLAUSIBLE = (
        "values_implausible",
        "数值超出合理范围，请核对单位",
        "values lie outside what is possible; was another unit of measure written?",
    )
    HOLD_UNKNOWN = ("hold_unknown", "没有这项未解除的扣留", "no such hold is open")
    LIFT_UNKNOWN = ("lift_unknown", "没有这次解除扣留", "no such lifting of a hold is known")
    ARRIVAL_UNKNOWN = ("arrival_unknown", "没有这份运抵报告", "no such report of an arrival is known")
    NOT_AN_OFFICER_HOLD = ("not_an_officer_hold", "该扣留不由关员解除", "this hold is not an officer's to lift")
    CONTAINER_UNKNOWN = ("container_unknown", "没有该集装箱的信息", "nothing is known of this container")
    CONTAINER_MALFORMED = ("container_malformed", "不是集装箱号", "this is no number of a container")
    ALREADY_GATED_OUT = ("already_gated_out", "该集装箱已出卡口", "the container left already")
    VISIT_TOO_OLD = (
        "visit_too_old",
        "所述在场期过早，已不保存",
        "it speaks of a visit so old that it is not kept any more",
    )
    REPORT_UNKNOWN = ("report_unknown", "没有这份箱动态报告", "no such report of an equipment event is known")
    FINDING_UNKNOWN = ("finding_unknown", "没有这次箱核查", "no such finding on this container is known")
    NOT_THE_SENDER = ("not_the_sender", "只有原报告人可以更正或撤回", "only its sender may correct or retract a report")
    LOT_UNKNOWN = ("lot_unknown", "该集装箱内没有这票货物", "this consignment is not known to be in the container")
    CONTAINERS_MISSING = (
        "containers_missing",
        "集装箱货物须按箱号报告到货",
        "goods in containers arrive by container: which ones have arrived?",
    )
    TOO_MANY_REPORTS = (
        "too_many_reports",
        "该集装箱的报告已达上限",
        "as many reports were made as one container may have",
    )
    TOO_MANY_HOLDS = (
        "too_many_holds",
        "未解除的扣留已达上限",
        "as many officers' holds are open as one consignment may have",
    )
    ALREADY_HELD = ("already_held", "该布控已扣留这票货物", "the watch holds these goods already")
    WATCH_LIFTED = ("watch_lifted", "该布控已解除", "the watch was lifted, or its hold on these goods was")
    WATCH_MALFORMED = (
        "watch_malformed",
        "布控未写明提运单号或申报单位",
        "the watch names neither a bill nor a declarant",
    )
    TOO_MANY_WATCHES = ("too_many_watches", "布控已达上限", "as many watches are open as one partition keeps")
    TOO_MANY_REQUESTS = (
        "too_many_requests",
        "此类请求次数已达上限",
        "as many requests were made as one consignment or container may have",
    )
    KEY_REUSED = (
        "key_reused",
        "该请求标识已用于另一内容",
        "the id of this request was used for another content, which was answered",
    )
    WRONG_DECLARANT = ("wrong_declarant", "只有申报单位可以撤销", "only its declarant may withdraw it")
    CONSIGNMENT_ID_MISMATCH = (
        "consignment_id_mismatch",
        "货物标识与申报单位、编号不符",
        "the consignment id is not that of declarant and reference",
    )


REFUSALS: Final = MappingProxyType({code.value: code.text for code in RefusalCode})
"""Code of a refusal → its sentence in both languages. A fact of a newer software version may have a code
that is not here."""
