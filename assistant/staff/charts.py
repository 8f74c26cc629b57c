"""Where the points of a line chart lie: the geometry only, which the page's template draws as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# In units of the drawing, which grows and shrinks with the page.
WIDTH, HEIGHT = 320, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 12, 24


@dataclass(frozen=True, slots=True)
class Point:
    """A value in the drawing."""

    x: float
    y: float
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of its own colour and dashes; `number` counts them from 0."""

    name: str
    number: int
    points: tuple[Point, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A horizontal line with its value."""

    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[str, ...]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def chart(labels: Sequence[str], values: Mapping[str, Sequence[float | None]], top: float | None) -> Chart:
    """Lay a chart out.

    Args:
        labels: Along the bottom, evenly spaced.
        values: By the line's name, one for each label; a None is a gap, over which no line is drawn.
        top: The value at the upper edge; None for one that fits. The lower edge is 0.
    """
    highest = max((one for row in values.values() for one in row if one is not None), default=0.0)
    high = top or highest * 1.1 or 1.0
    lines = tuple(_line(name, number, labels, row, high) for number, (name, row) in enumerate(values.items()))
    ticks = tuple(Tick(_y(high * part / 2, high), high * part / 2) for part in range(3))
    return Chart(lines, ticks, tuple(labels))


def _line(name: str, number: int, labels: Sequence[str], row: Sequence[float | None], high: float) -> Line:
    step = (WIDTH - _LEFT - _RIGHT) / max(len(labels) - 1, 1)
    points: list[Point] = []
    path = ""
    gap = True
    for place, (label, value) in enumerate(zip(labels, row, strict=True)):
        if value is None:
            gap = True
            continue
        x = _LEFT + place * step if len(labels) > 1 else (_LEFT + WIDTH - _RIGHT) / 2
        points.append(Point(round(x, 1), _y(value, high), label, value))
        path += f"{'M' if gap else 'L'}{points[-1].x} {points[-1].y} "
        gap = False
    return Line(name, number, tuple(points), path.strip())


def _y(value: float, high: float) -> float:
    return round(HEIGHT - _BOTTOM - value / high * (HEIGHT - _TOP - _BOTTOM), 1)
