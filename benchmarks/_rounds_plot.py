"""The plot of `bench rounds`, as one SVG file that needs no style sheet."""

from collections.abc import Sequence

from annotation.learning.estimates import Estimate

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 16, 40, 48
BLANK, SHOWN, INK, GRID = "#7a8699", "#1f6feb", "#24292f", "#d8dee4"


def draw(blank: Sequence[Estimate | None], shown: Sequence[Estimate | None]) -> str:
    """Mean acts a scan with 95 % intervals by round, blank beside shown; the first round has no model."""
    known = [one for one in (*blank, *shown) if one is not None]
    most = 10 * (int(max(one.high or one.value for one in known)) // 10 + 1)
    tall, wide = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / len(blank)

    def y(acts: float) -> float:
        return HEIGHT - BOTTOM - tall * max(0.0, acts) / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" fill="{INK}" role="img" aria-label="Acts of a simulated reader a scan, by round">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for acts in range(0, most + 1, max(5, 5 * round(most / 30))):
        parts.append(f'<path d="M{LEFT} {y(acts):.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(acts) + 4:.1f}" text-anchor="end">{acts}</text>')
    for at, (colour, words) in enumerate(((BLANK, "from blank"), (SHOWN, "from the model's mask"))):
        parts.append(f'<circle cx="{LEFT + 8 + 110 * at}" cy="18" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 18 + 110 * at}" y="22">{words}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="22" text-anchor="end">keys and strokes a scan, mean, 95 %</text>')
    for number, pair in enumerate(zip(blank, shown, strict=True)):
        middle = LEFT + (number + 0.5) * wide
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 26}" text-anchor="middle">round {number + 1}</text>')
        words = f"{10 * number} masks" if number else "no model"
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{words}</text>')
        arms = list(zip(pair, (BLANK, SHOWN), (-12, 12), strict=True))
        for one, colour, shift in arms if number else arms[:1]:
            if one is None:
                continue
            x = middle + (shift if number else 0)
            low, high = y(one.value if one.low is None else one.low), y(one.value if one.high is None else one.high)
            parts.append(f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}" stroke-width="2"/>')
            parts.append(f'<circle cx="{x:.1f}" cy="{y(one.value):.1f}" r="5" fill="{colour}"/>')
    return "\n".join([*parts, "</svg>\n"])
