"""The end of an import into which nothing came."""

from typing import Any

from annotation.intake.conversion import SET_ASIDE
from voxloop.kernel.errors import Invalid


class NothingCameInError(Invalid):
    """Every series of an import was refused; `result` names each with its reason."""

    def __init__(self, result: dict[str, Any]) -> None:
        refused = result["refused"]
        series = [row for row in refused if row["code"] != SET_ASIDE] or refused
        first = series[0]
        count = len(series)
        told = "No scan was imported" + (f": all {count} series were refused." if count > 1 else ".")
        others = len({row["reason"] for row in series}) - 1
        more = f" ({others} more {'reason' if others == 1 else 'reasons'} below.)" if others else ""
        super().__init__(f"{told} {first['reason']}{more}", code=first["code"], result=result)
        self.result = result
