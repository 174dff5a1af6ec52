"""What others may want to know of people."""

from django.dispatch import Signal

token_issued = Signal()  # user
