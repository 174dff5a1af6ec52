"""Signals about accounts; `voxloop.audit.receivers` writes each into the audit log."""

from django.dispatch import Signal

# person, action (`person.…`, the word of the log), actor (None: the person), old, new, why
account_changed = Signal()
