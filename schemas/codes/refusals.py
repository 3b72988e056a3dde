"""Why is a request sent back, in the words of people?"""

from types import MappingProxyType
from typing import Final

from schemas.codes.checks import Words

REFUSALS: Final = MappingProxyType(
    {
        "reference_used": Words(
            "该编号已用于另一份申报；请先撤销那份申报，或换用新编号",
            "this reference was used for another declaration: withdraw that one first, or use another reference",
        ),
        "reference_spent": Words(
            "该编号下的申报已多次撤销，请换用新编号",
            "as many declarations were withdrawn under this reference as one may have; use another reference",
        ),
        "not_lodged": Words("未曾申报", "nothing was lodged under this consignment"),
        "not_accepted": Words("该申报未被接受", "the declaration was not accepted"),
        "already_withdrawn": Words("该申报已撤销或已申请撤销", "the declaration was withdrawn already, or asked to be"),
        "consignment_closed": Words("该票货物已结", "the consignment is closed"),
        "controls_ordered": Words("已布控，不得撤销", "controls are ordered; the declaration stays"),
        "already_released": Words(
            "货物已放行，申报不能再撤销", "the goods were released: the declaration can no longer be withdrawn"
        ),
        "not_ordered": Words("未下达该指令", "nothing of the kind is ordered"),
        "already_answered": Words("已由先前的请求答复", "an earlier request answered it"),
        "not_the_latest": Words(
            "所指的不是现行结果", "the request that it calls wrong did not give the answer that stands now"
        ),
        "opened_again": Words(
            "该项已重新提出，所述结果针对此前的情形", "it speaks of what was asked before; that was opened again since"
        ),
        "stated_again": Words(
            "放行岗此后又有新的扣留意见，请重新核查", "the release desk said since that the goods stay; look again"
        ),
        "wrong_control": Words("该布控不以此方式答复", "this control is not answered this way"),
        "pest_missing": Words("未写明有害生物名称", "the pest is not named"),
        "pest_contradicts": Words("结果为合格却写有有害生物", "the result is in order, yet a pest is named"),
        "wrong_attempt": Words("处理次数不符", "another attempt is in hand"),
        "not_referred": Words("该项处理不待关员决定", "no officer is asked to decide about this treatment"),
        "no_schedule": Words("该货物无此处理方法的技术要求", "no schedule is known for this treatment of these goods"),
        "start_missing": Words(
            "处理记录未写明开始时间", "the treatment record does not say when the treatment started"
        ),
        "before_order": Words("处理开始于下达指令之前", "the treatment started before it was ordered"),
        "in_future": Words("所述时间尚未到来", "it speaks of a time that has not come yet"),
        "readings_doubled": Words(
            "同一取样点同一时刻有两个读数", "two readings were taken at one hour and one sampling place"
        ),
        "values_implausible": Words(
            "数值超出合理范围，请核对单位", "values lie outside what is possible; was another unit of measure written?"
        ),
        "hold_unknown": Words("没有这项未解除的扣留", "no such hold is open"),
        "lift_unknown": Words("没有这次解除扣留", "no such lifting of a hold is known"),
        "arrival_unknown": Words("没有这份运抵报告", "no such report of an arrival is known"),
        "not_an_officer_hold": Words("该扣留不由关员解除", "this hold is not an officer's to lift"),
        "container_unknown": Words("没有该集装箱的信息", "nothing is known of this container"),
        "container_malformed": Words("不是集装箱号", "this is no number of a container"),
        "already_gated_out": Words("该集装箱已出卡口", "the container left already"),
        "visit_too_old": Words("所述在场期过早，已不保存", "it speaks of a visit so old that it is not kept any more"),
        "report_unknown": Words("没有这份箱动态报告", "no such report of an equipment event is known"),
        "not_the_sender": Words("只有原报告人可以更正或撤回", "only its sender may correct or retract a report"),
        "lot_unknown": Words("该集装箱内没有这票货物", "this consignment is not known to be in the container"),
        "containers_missing": Words(
            "集装箱货物须按箱号报告到货", "goods in containers arrive by container: which ones have arrived?"
        ),
        "too_many_reports": Words("该集装箱的报告已达上限", "as many reports were made as one container may have"),
        "too_many_holds": Words("未解除的扣留已达上限", "as many officers' holds are open as one consignment may have"),
        "already_held": Words("该布控已扣留这票货物", "the watch holds these goods already"),
        "watch_lifted": Words("该布控已解除", "the watch was lifted, or its hold on these goods was"),
        "watch_malformed": Words("布控未写明提运单号或申报单位", "the watch names neither a bill nor a declarant"),
        "too_many_watches": Words("布控已达上限", "as many watches are open as one partition keeps"),
        "too_many_requests": Words(
            "此类请求次数已达上限", "as many requests were made as one consignment or container may have"
        ),
        "key_reused": Words(
            "该请求标识已用于另一内容", "the id of this request was used for another content, which was answered"
        ),
        "wrong_declarant": Words("只有申报单位可以撤销", "only its declarant may withdraw it"),
        "consignment_id_mismatch": Words(
            "货物标识与申报单位、编号不符", "the consignment id is not that of declarant and reference"
        ),
    }
)
