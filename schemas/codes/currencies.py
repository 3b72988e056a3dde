"""In which currencies may values be declared? In those of ISO 4217 that are in use, by their alphabetic codes; codes of metals, funds
and tests are left out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import NAMELESS, Bilingual

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN
BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR
ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR
PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = frozenset(_CODES.split())
"""The currencies as of 2026-01-01. XCG is in (from 2025-03-31, in place of ANG), and so are ZWG (from 2024-09-01) and VED. BGN is not
(euro from 2026-01-01)."""
NAMES: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {
        **dict.fromkeys(sorted(CURRENCIES), NAMELESS),
        "XCG": Bilingual("加勒比盾", "Caribbean guilder"),
        "ZWG": Bilingual("津巴布韦金", "Zimbabwean Gold"),
    }
)
"""Each currency → its name if CLDR, in the version of Babel that the lock file has, does not know its Chinese name.
Otherwise the name is empty here, because pages show the name of CLDR."""
