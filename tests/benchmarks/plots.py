"""A group of figures as bars in an SVG, which is drawn light or dark as its reader's screen is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.record import Figure

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 760, 262, 130, 78, 34, 20
STYLE = """
  .card { fill: #ffffff; stroke: #d0d7de } .title { fill: #1f2328; font-size: 17px; font-weight: 600 }
  .note { fill: #59636e; font-size: 13px } .label, .value { fill: #1f2328; font-size: 14px }
  .bar { fill: #afb8c1 } .ours { fill: #0969da } .bold { font-weight: 600 } .axis { stroke: #d0d7de }
  text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d } .title, .label, .value { fill: #f0f6fc } .note { fill: #9198a1 }
    .bar { fill: #656c76 } .ours { fill: #4493f8 } .axis { stroke: #3d444d }
  }
"""


def bars(title: str, note: str, figures: Sequence[Figure]) -> str:
    """Draw figures as horizontal bars, plait's in another colour."""
    measured = [(figure, figure.value) for figure in figures if figure.value is not None]
    longest = max(value for _, value in measured)
    height = TOP + ROW * len(measured) + 16
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="20" y="33">{escape(title)}</text>',
        f'<text class="note" x="20" y="55">{escape(note)}</text>',
    ]
    for number, (figure, value) in enumerate(measured):
        y, length = TOP + ROW * number, max(2, value / longest * (WIDTH - LEFT - RIGHT))
        ours, middle = figure.label.startswith("plait"), y + BAR / 2 + 5
        bold = " bold" if ours else ""
        parts += [
            f'<text class="label{bold}" x="{LEFT - 12}" y="{middle:g}" text-anchor="end">{escape(figure.label)}</text>',
            f'<rect class="bar{" ours" if ours else ""}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3"/>',
            f'<text class="value{bold}" x="{LEFT + length + 8:.1f}" y="{middle:g}">{escape(figure.text)}</text>',
        ]
    bottom = TOP + ROW * len(measured) - 8
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{TOP - 6}" x2="{LEFT}" y2="{bottom}"/>')
    return "\n".join([*parts, "</svg>\n"])
