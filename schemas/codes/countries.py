"""Which countries and regions can goods come from or go to? ISO 3166-1, by two letters or by three, and the form's own codes.

The form (GACC 2018 No. 67) writes three letters. A declaration keeps what its declarant wrote, so code that compares two
countries first passes both to `alpha2`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
"""The two letters and the three letters of each country: ISO 3166-1 as of 2026-01-01, 249 codes."""
ALPHA3: Final[Mapping[str, str]] = MappingProxyType({code[2:]: code[:2] for code in _CODES.split()})
"""Three letters → two letters of the country."""
COUNTRIES: Final = frozenset(ALPHA3.values())
"""ISO 3166-1 alpha-2."""
UNKNOWN: Final = "ZZZ"
"""The code of the form for a country that is not known."""
OF_THE_FORM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CAI": "加那利群岛 Canary Islands",
        "CEU": "休达 Ceuta",
        "GAM": "盖比群岛 Gambier Islands",
        "MAI": "马克萨斯群岛 Marquesas Islands",
        "MEL": "梅利利亚 Melilla",
        "SOC": "社会群岛 Society Islands",
        "TUA": "土阿莫土群岛 Tuamotu Islands",
        "TUB": "土布艾群岛 Tubuai Islands",
        "ZAS": "亚洲其他国家（地区） other in Asia",
        "ZEU": "欧洲其他国家（地区） other in Europe",
        "ZNA": "北美洲其他国家（地区） other in North America",
        "ZOC": "大洋洲其他国家（地区） other in Oceania",
        "ZSA": "拉丁美洲其他国家（地区） other in Latin America",
        "ZUN": "联合国及机构和国际组织 United Nations and international organisations",
        UNKNOWN: "国（地）别不详 country unknown",
    }
)
"""Codes of three letters that the table of the form has besides ISO 3166-1: parts of countries, remainders, and the unknown
country."""
NOWHERE: Final = frozenset({UNKNOWN, "ZAS", "ZEU", "ZNA", "ZOC", "ZSA"})
"""Codes that leave open which country it is."""
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {**dict.fromkeys(sorted(COUNTRIES), ""), **dict.fromkeys(sorted(ALPHA3), ""), **OF_THE_FORM}
)
"""The codes that a field for a country may hold; the names of countries are those of CLDR."""


def alpha2(country: str) -> str:
    """The two letters of a country that is written with three; every other code unchanged."""
    return ALPHA3.get(country, country)
