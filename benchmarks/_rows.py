"""Rows against a peer: `ratio` = ours / peer in the same unit, and the limit it must hold."""

from typing import Any


def ratio_row(bench: str, case: str, ours: float, peer: float, unit: str, limit: float) -> dict[str, Any]:
    """A row whose `limit` is the most that ours / peer may be."""
    ratio = ours / peer
    figures = {"ours": round(ours, 4), "peer": round(peer, 4), "unit": unit, "ratio": round(ratio, 4)}
    return {"bench": bench, "case": case, **figures, "limit": limit, "holds": ratio <= limit}
