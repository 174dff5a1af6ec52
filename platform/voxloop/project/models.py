"""The one table of the project itself."""

from django.db import models


class RequestCount(models.Model):
    """How often a person or an address asked a route in a window of time. Unlogged: a crash may forget it."""

    key = models.CharField(max_length=200, primary_key=True)
    window = models.BigIntegerField()  # number of the window since 1970
    count = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
