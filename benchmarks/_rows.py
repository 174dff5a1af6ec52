"""Rows: with a peer `ratio` = ours / peer in the same unit must hold the limit, without one the figure itself."""

from typing import Any


def ratio_row(bench: str, case: str, ours: float, peer: float, unit: str, limit: float | None = None) -> dict[str, Any]:
    """A row whose `limit` is the most that ours / peer may be."""
    ratio = ours / peer
    holds = None if limit is None else ratio <= limit
    figures = {"ours": round(ours, 4), "peer": round(peer, 4), "unit": unit, "ratio": round(ratio, 4)}
    return {"bench": bench, "case": case, **figures, "limit": limit, "holds": holds}


def plain_row(bench: str, case: str, ours: float, unit: str, limit: float | None = None) -> dict[str, Any]:
    """A row without a peer; `limit` is the most `ours` may be."""
    holds = None if limit is None else ours <= limit
    return {"bench": bench, "case": case, "ours": round(ours, 3), "unit": unit, "limit": limit, "holds": holds}


def least_row(bench: str, case: str, ours: float, unit: str, least: float | None = None) -> dict[str, Any]:
    """A row without a peer; `limit` is the least that `ours` may be."""
    holds = None if least is None else ours >= least
    return {"bench": bench, "case": case, "ours": round(ours, 3), "unit": unit, "limit": least, "holds": holds}
