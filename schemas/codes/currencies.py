"""Which currencies may values be declared in? ISO 4217 alphabetic codes of currencies in use; no metals, funds or test codes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
"""As of 2026-01-01: with XCG (from 2025-03-31, in place of ANG), ZWG (2024-09-01) and VED, without BGN (the euro from 2026-01-01)."""
NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {**dict.fromkeys(sorted(CURRENCIES), ""), "XCG": "加勒比盾 Caribbean guilder", "ZWG": "津巴布韦金 Zimbabwean Gold"}
)
"""The codes with names only where the CLDR of the lock file has none in Chinese yet; the other names are those of CLDR."""
