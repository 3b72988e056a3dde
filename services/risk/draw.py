"""Which goods are drawn for inspection by chance? A keyed hash of their identity decides, so nobody without the key can foresee it.

**The identity of goods in the draw.** The draw must stay the same if the declarant amends the declaration or lodges it again, and must be
a new one for other goods. So the identity may have only parts that do not change with the declaration, and that nobody can change for
free:

- Declarant and reference are the declarant's own words. With another reference there would be another draw, as often as the declarant
  wants.
- The goods as declared (codes, values, masses) are the declarant's words, too, and an amendment changes them.
- The transport document is issued by the carrier, and the manifest names it. It alone is not enough: a declarant who issues house bills
  could lodge a trial declaration under each of them without a real container, and then use a bill that was not drawn.
- The containers leave through the gate, and each trial must name them. If goods are drawn, every container that their declaration names
  stays inside, so nobody gains by a trial under another bill or with one container more.

So the identity consists of direction, transport document and the set of containers, each in the form of `spelled`. If
there is no transport document (as for some goods by road), consignee, conveyance and day of the journey replace it. The
day is needed, because otherwise a truck that was once not drawn would never be drawn again.

**What the draw cannot prevent.** Goods without containers can be lodged under an invented bill; only the manifest shows that. If a bill
was not drawn, the same bill with the same containers is not drawn later either, while the key is in force. After a change of the key,
goods that are lodged again are drawn anew.
"""

import hmac
import unicodedata
from datetime import date
from decimal import ROUND_DOWN, Decimal

from schemas.declaration import Declaration
from schemas.risk import Draw
from services.risk.keys import DrawKey

_SPAN = Decimal(2**64)
_MILLIONTH = Decimal("0.000001")
_PURPOSE = "inspection-draw/"


def spelled(code: str) -> str:
    """Returns the letters and digits of a code, in compatibility form (Unicode NFKC) and upper case. For example, `cosu 640-0001` becomes
    `COSU6400001`."""
    text = unicodedata.normalize("NFKC", code).upper()
    return "".join([sign for sign in text if unicodedata.category(sign)[0] in "LN"])


def drawn_goods(declaration: Declaration, day: date) -> str:
    """Returns the text that identifies the goods in the draw, as the docstring of this module says. `day`: the day, in China, on which the desk
    decides about them.

    Every part is passed to `spelled`, so that no text of a declarant can contain a separator and imitate other goods.
    """
    boxes = "+".join(sorted({spelled(container.container_no) for container in declaration.containers}))
    bill = spelled(declaration.bill_no)
    if bill:
        document = f"bill/{bill}"
    else:
        journey = declaration.conveyance_entry_date or day
        document = f"journey/{spelled(declaration.consignee)}/{spelled(declaration.conveyance)}/{journey}"
    return f"{declaration.direction.value}/{document}/{boxes}"


def draw(key: DrawKey, goods: str, rate: Decimal) -> Draw:
    """Draws `goods`, a text of `drawn_goods`. The value is the first 8 bytes of HMAC-SHA-256 (RFC 2104) of the text, read as a big-endian number,
    divided by 2^64 and rounded down to 6 decimals, so 0 ≤ value < 1. The goods are selected if the value is below `rate` (a share from 0 to 1).

    Whoever has the key can repeat the draw with `dtg draws repeat`.
    """
    digest = hmac.digest(key.secret, f"{_PURPOSE}{goods}".encode(), "sha256")
    value = (Decimal(int.from_bytes(digest[:8])) / _SPAN).quantize(_MILLIONTH, ROUND_DOWN)
    return Draw(value=value, rate=rate, selected=value < rate, key_id=key.key_id)
