"""Has every sentence that a desk writes a text in both languages, and is it recognised with its parameters?"""

import re

from services.console.language.desk_sentences import in_words
from services.console.language.words import TEXTS
from tests.console.desk_sentences import templates

NOT_IN_FACTS = {
    "held here": "a state of the release desk's record",
    "refused here": "another one",
    "not in it": "another one",
}
EXAMPLES = {
    "these findings are answer 1 of inspection; answer 2 is asked for": "提交的是查验的第 1 次答复，要求第 2 次",
    "solid wood packaging (package kind 93), departure JP, origin JP, US": "实木包装（包装种类 93），启运国 JP，原产国 JP, US",
    "unit class is G; wanted A or B": "资质类别为 G，要求 A、B",
    "2026-11-23T12:00:00+00:00: kept is what came after 2026-01-01 12:00:00+00:00": "2026-11-23T12:00:00+00:00：只保存 2026-01-01 12:00:00+00:00 之后的",
    "left, and no declaration is known for it 离场时无申报": "离场时无申报",
    "2 of 3 lots released 已放行 2/3 批; bill COSU1: not released yet": "3 批中已放行 2 批；提单 COSU1：尚未放行",
    "the container is held 扣箱: 举报线索 a tip to look into": "扣箱：举报线索 a tip to look into",
    "an alarm waits for an officer's finding 报警待关员核查: left before release 先于放行离场": "报警待关员核查：先于放行离场",
    "released 14 days ago and not used: CSQU3054383 放行后14日未提离": "放行后 14 日未提离：CSQU3054383",
    "place line 1: concentration at 4 h is 29.5 g/m3; wanted at least 31 g/m3": "取样点 line 1：4 h 浓度 29.5 g/m³，要求至少 31 g/m³",
    "place sensor 0: wood core held 56 °C for 0 min; wanted 30 min without a break": "取样点 sensor 0：木芯保持 56 °C 共 0 min，要求连续 30 min",
    "wood core held 56 °C for 20 min; wanted 30 min without a break": "木芯保持 56 °C 共 20 min，要求连续 30 min",
    "grain held 25 °C with 0.42 g/m3 for 100 h; wanted 168 h without a break": "粮堆保持 25 °C 且浓度 0.42 g/m³ 共 100 h，要求连续 168 h",
    "200 °C at 2 h; the temperature of the wood core lies between -40 and 99.99 °C": "2 h 时 200 °C，木芯温度应在 -40 至 99.99 °C 之间",
    "treatment required, again: wrong chamber": "须检疫处理，须再次处理：wrong chamber",
    "to be put right: the invoice is missing 缺发票": "须补正：the invoice is missing 缺发票",
    "inspection control required": "须查验",
    "no treatment is ordered for origin 'sampling'": "没有因取样检测下达的处理",
    "controls are ordered: documents, inspection": "已布控：单证审核、查验",
    "method is MB; wanted one of HT, SF": "方法为溴甲烷熏蒸，要求热处理、硫酰氟熏蒸之一",
    "line 3: about 0.012 USD per kg": "第 3 项：每千克约 0.012 美元",
    "the id was answered for other content (customs-release-requests/3/17)": "该标识已用于其他内容 (customs-release-requests/3/17)",
    "declarant 91350100M000100Y43 is advanced_certified": "申报单位 91350100M000100Y43 为高级认证企业",
    "currencies VND, XCG": "币制 VND, XCG",
    "11, quantity 10": "11，成交数量 10",
    "5304: the table holds 139 of 1006 offices": "5304：代码表收录全国 1006 个海关中的 139 个",
    "9999: the table holds 100 modes, as of 2020-07-01": "9999：代码表收录 100 种监管方式，截至 2020-07-01",
    "12.5 x 180 is not 2000": "12.5 × 180 不等于 2000",
}


def test_no_desk_writes_a_sentence_into_its_facts_but_by_a_code() -> None:
    assert set(templates()) == set(NOT_IN_FACTS)


def test_a_row_is_read_back_as_itself_with_its_parameters() -> None:
    for key, texts in TEXTS.items():
        if key.startswith("written."):
            named = re.findall(r"\{(\w+)\}", texts.en)
            text = texts.en.format(**{name: f"VALUE-{number}" for number, name in enumerate(named)})
            sentence = in_words(text)
            assert sentence.en == text, key
            if not re.sub(r"\{\w+\}|\W", "", texts.en):
                assert sentence.zh == text, f"{key}: any text looks like it"
                continue
            assert sentence.zh == texts.zh.format(**{name: f"VALUE-{number}" for number, name in enumerate(named)}), key


def test_sentences_read_in_chinese() -> None:
    for text, chinese in EXAMPLES.items():
        assert in_words(text).zh == chinese


def test_what_a_person_wrote_is_shown_as_it_stands() -> None:
    for text in ("举报线索", "a tip about the seal", "", "x" * 5000, "the seal is broken: look 封志", "{why}"):
        assert in_words(text) == (text, text)
    assert in_words("no visit is open 不在场").en == "no visit is open"
