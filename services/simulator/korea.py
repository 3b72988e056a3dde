"""How does a customs declaration of a public Korean data set become a declaration of this project?

The data set has synthetic Korean import declarations for fraud research (Jeong et al. 2022). Each row is one line of goods.

| column | becomes |
|---|---|
| Declaration ID | `reference` (`KR-<id>`) and `bill_no` |
| Date | nothing: the declaration desk rejects entry dates that are years away |
| Office ID | `customs_office` `9` + three digits (sandbox offices 9001 to 9999) |
| Process Type, Import Type, Import Use, Payment Type | nothing: no counterpart; `trade_mode` is 0110, general trade |
| Mode of Transport | `transport_mode`: UN/CEFACT Rec. 19 times ten, 10 water, 20 rail, 30 road, 40 air, 50 post, 90 other |
| Declarant ID, Importer ID | `declarant`, `consignee`: a derived credit code, the same for the same id, of no real firm |
| Seller ID | nothing |
| Courier ID | `conveyance`; `no name` if there is no courier |
| HS6 Code | `hs_code`; the description says no more |
| Country of Departure, Country of Origin | `departure_country`, `origin_country` |
| Tax Rate, Tax Type, Country of Origin Indicator | nothing |
| Net Mass | `net_mass_kg`, also the gross mass; kept as it is, so a declaration with a mass of zero is rejected |
| Item Price | `total_price` of one article, in whole won (KRW has no decimals); with a price of zero, an officer reads the papers |
| Fraud, Critical Fraud | nothing: known only afterwards |

The source has no number of packages and no destination, so one package and the country of the sandbox offices are
filled in.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from schemas.codes.uscc import ALPHABET, SANDBOX_AREA, with_check_signs
from schemas.codes.ways import SANDBOX
from schemas.declaration import Declaration, Item
from schemas.vocabulary import Direction

COLUMNS = (
    "Declaration ID",
    "Office ID",
    "Mode of Transport",
    "Declarant ID",
    "Importer ID",
    "Courier ID",
    "HS6 Code",
    "Country of Departure",
    "Country of Origin",
    "Net Mass",
    "Item Price",
)
"""The columns of the file that are read."""
MODES = {"10": "2", "20": "3", "30": "4", "40": "5", "50": "6", "90": "9"}


class NotKorea(Exception):
    """Raised if the file is not a CSV of this data set. The text names the row, the column and the wrong value."""


def read(path: Path) -> Iterator[Declaration]:
    """Yields the declarations of the file, row by row. Raises NotKorea at the first row that cannot be read."""
    try:
        yield from _rows(path)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise NotKorea(f"{path}: no CSV in UTF-8: {problem}. 不是 UTF-8 编码的 CSV") from problem


def _rows(path: Path) -> Iterator[Declaration]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise NotKorea(f"{path}: columns are missing: {', '.join(missing)}. 缺少列")
        for number, row in enumerate(rows, start=2):
            try:
                yield declaration(row)
            except (NotKorea, ValidationError) as problem:
                raise NotKorea(f"{path}, line {number}: {problem}") from problem


def declaration(row: dict[str, str]) -> Declaration:
    """Returns the declaration of one row. Raises NotKorea with the name of the column if a value cannot be read."""
    if None in row.values():
        raise NotKorea("the row is shorter than the header. 行不完整")
    mass, price = _number(row, "Net Mass", "0.00001"), _number(row, "Item Price", "1")
    office = row["Office ID"]
    if not office.isdigit() or len(office) > 3:
        raise NotKorea(f"Office ID: {office!r} is not a number of up to three digits. 关区代码有误")
    name = f"KR-{row['Declaration ID']}"
    return Declaration(
        reference=name,
        declarant=credit_code(row["Declarant ID"]),
        consignee=credit_code(row["Importer ID"]),
        direction=Direction.IMPORT,
        customs_office=f"9{int(office):03}",
        trade_mode="0110",
        transport_mode=MODES.get(row["Mode of Transport"], row["Mode of Transport"]),
        conveyance=row["Courier ID"] or "no name",
        bill_no=name,
        departure_country=row["Country of Departure"],
        destination_country=SANDBOX,
        packages=1,
        package_kind="99",
        gross_mass_kg=mass,
        net_mass_kg=mass,
        invoice_total=price,
        currency="KRW",
        items=(
            Item(
                hs_code=row["HS6 Code"],
                description=f"HS {row['HS6 Code']}",
                origin_country=row["Country of Origin"],
                quantity=Decimal(1),
                unit="011",
                net_mass_kg=mass,
                unit_price=price,
                total_price=price,
                currency="KRW",
            ),
        ),
    )


def credit_code(foreign: str) -> str:
    """Returns a credit code with correct check characters, derived from a foreign id. Its area code is that of the sandbox,
    so it belongs to no real company."""
    digest = sha256(f"korea/{foreign}".encode()).digest()
    organisation = "".join([ALPHABET[byte % len(ALPHABET)] for byte in digest[:8]])
    return with_check_signs(f"91{SANDBOX_AREA}0000", organisation)


def _number(row: dict[str, str], column: str, step: str) -> Decimal:
    """Returns the number in this column, rounded to `step`. The source contains rounding errors of binary fractions, for
    example 86125.20000000001."""
    try:
        number = Decimal(row[column])
    except InvalidOperation:
        raise NotKorea(f"{column}: {row[column]!r} is not a number. 不是数字") from None
    if not number.is_finite():
        raise NotKorea(f"{column}: {row[column]!r} is not a number. 不是数字")
    return number.quantize(Decimal(step))
