"""Counters of requests."""

from django.db import models


class RequestCount(models.Model):
    """Requests of a person or an address to a route in one time window. An unlogged table: a crash may empty it."""

    key = models.CharField(max_length=200, primary_key=True)
    window = models.BigIntegerField()  # number of the window since 1970
    count = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
