"""How does a table of figures become a picture without a plotting library? This module writes SVG: lines over an axis,
or bars with an error bar."""

import math
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#c2410c", "#3f7d20", "#7c3aed", "#475569")
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 44, 76
Points = Sequence[tuple[float, float]]


def lines(title: str, x: str, y: str, series: Mapping[str, Points], log_x: bool = False) -> str:
    """Returns a picture with a line for each series. `x` and `y`: the names of the axes with their units. The y axis
    starts at zero."""
    xs = sorted({point[0] for points in series.values() for point in points})
    top = nice(max((point[1] for points in series.values() for point in points), default=1.0))

    def across(value: float) -> float:
        low, high, at = (math.log10(v) if log_x else v for v in (xs[0], xs[-1], value))
        return LEFT + (WIDTH - LEFT - RIGHT) * ((at - low) / (high - low) if high > low else 0.5)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    body = [*_grid(top, up), _text(WIDTH / 2, HEIGHT - BOTTOM + 40, x, "middle"), _text(LEFT - 50, TOP - 10, y)]
    body += [_text(across(value), HEIGHT - BOTTOM + 18, short(value), "middle") for value in xs]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        body += [f'<circle cx="{across(at):.1f}" cy="{up(value):.1f}" r="3" fill="{colour}"/>' for at, value in points]
        left = LEFT + number * (WIDTH - LEFT) / max(1, len(series))
        body.append(f'<rect x="{left:.1f}" y="{HEIGHT - 22}" width="12" height="4" fill="{colour}"/>')
        body.append(_text(left + 18, HEIGHT - 16, name))
    return _page(title, HEIGHT, body)


def bars(title: str, unit: str, rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Returns a picture with a bar for each row: name, value, and the lowest and highest value of its error bar."""
    height = TOP + 34 * len(rows) + 30
    left, room = 230, WIDTH - 230 - 110
    top = nice(max((row[3] for row in rows), default=1.0))
    body = []
    for number, (name, value, low, high) in enumerate(rows):
        middle = TOP + 34 * number + 17
        wide, first, last = (room * each / top for each in (value, low, high))
        colour = COLOURS[0] if number == 0 else COLOURS[-1]
        body.append(_text(left - 8, middle + 4, name, "end"))
        body.append(f'<rect x="{left}" y="{middle - 9}" width="{wide:.1f}" height="18" fill="{colour}"/>')
        body.append(
            f'<path d="M{left + first:.1f} {middle}H{left + last:.1f}" stroke="#111827" stroke-width="2" fill="none"/>'
        )
        body.append(_text(left + max(wide, last) + 8, middle + 4, short(value)))
    body.append(_text(LEFT - 50, height - 12, f"{unit}; the line through a bar: lowest to highest of the rounds"))
    return _page(title, height, body)


def nice(value: float) -> float:
    """Returns the smallest round number that is not below the value: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * 1.0000001)


def short(value: float) -> str:
    """Returns the value in short form for an axis, for example 12,500 as `12.5k` and a million as `1M`. A value below
    10,000 that is not a multiple of 1,000 is written out: `1,200`."""
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if value >= size * 1 and (value >= 10_000 or value % 1000 == 0):
            return f"{value / size:.3g}{sign}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def _grid(top: float, up: Callable[[float], float]) -> list[str]:

    rows = []
    for step in range(6):
        value = top * step / 5
        rows.append(f'<path d="M{LEFT} {up(value):.1f}H{WIDTH - RIGHT}" stroke="#d1d5db" fill="none"/>')
        rows.append(_text(LEFT - 8, up(value) + 4, short(value), "end"))
    return rows


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(title: str, height: int, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="#111827">'
    )
    back = f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    heading = f'<text x="{LEFT - 50}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>'
    return "\n".join([head, back, heading, *body, "</svg>", ""])
