"""Which countries and regions can goods come from or go to? The table has the codes of ISO 3166-1, with two letters and
with three, and codes that only the form of the declaration has.

The form (GACC 2018 No. 67) uses three letters. A declaration keeps the code that its declarant wrote, so code that compares
two countries must first pass both to `alpha2`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import NAMELESS, Bilingual

_CODES = """
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE
BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS
BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN
COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST
EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF
GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD
HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM
JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA
LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD
MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM
NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG
PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA
SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD
STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON
TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR
VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE
"""
"""The two letters and then the three letters of each country: ISO 3166-1 as of 2026-01-01, 249 codes."""
ALPHA3: Final[Mapping[str, str]] = MappingProxyType({code[2:]: code[:2] for code in _CODES.split()})
"""Code of three letters → code of two letters of the same country."""
COUNTRIES: Final = frozenset(ALPHA3.values())
"""The codes of ISO 3166-1 alpha-2."""
UNKNOWN: Final = "ZZZ"
"""The code of the form for an unknown country."""
OF_THE_FORM: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {
        "CAI": Bilingual("加那利群岛", "Canary Islands"),
        "CEU": Bilingual("休达", "Ceuta"),
        "GAM": Bilingual("盖比群岛", "Gambier Islands"),
        "MAI": Bilingual("马克萨斯群岛", "Marquesas Islands"),
        "MEL": Bilingual("梅利利亚", "Melilla"),
        "SOC": Bilingual("社会群岛", "Society Islands"),
        "TUA": Bilingual("土阿莫土群岛", "Tuamotu Islands"),
        "TUB": Bilingual("土布艾群岛", "Tubuai Islands"),
        "ZAS": Bilingual("亚洲其他国家（地区）", "other in Asia"),
        "ZEU": Bilingual("欧洲其他国家（地区）", "other in Europe"),
        "ZNA": Bilingual("北美洲其他国家（地区）", "other in North America"),
        "ZOC": Bilingual("大洋洲其他国家（地区）", "other in Oceania"),
        "ZSA": Bilingual("拉丁美洲其他国家（地区）", "other in Latin America"),
        "ZUN": Bilingual("联合国及机构和国际组织", "United Nations and international organisations"),
        UNKNOWN: Bilingual("国（地）别不详", "country unknown"),
    }
)
"""The codes of three letters that are in the table of the form but not in ISO 3166-1, with their names: parts of countries,
groups of other countries, and the unknown country."""
NOWHERE: Final = frozenset({UNKNOWN, "ZAS", "ZEU", "ZNA", "ZOC", "ZSA"})
"""The codes that leave open which country is meant."""
NAMES: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {**dict.fromkeys(sorted(COUNTRIES), NAMELESS), **dict.fromkeys(sorted(ALPHA3), NAMELESS), **OF_THE_FORM}
)
"""The codes that a field for a country may have → their names. The names of countries are empty here, because pages
show the names of CLDR instead."""


def alpha2(country: str) -> str:
    """Returns the two letters of a country that is written with three. Every other code is returned unchanged."""
    return ALPHA3.get(country, country)
