"""What others may want to know of people. The audit log writes each down (`voxloop.audit.receivers`)."""

from django.dispatch import Signal

# person, action (`person.…`, the word of the log), actor (None: the person), old, new, why
account_changed = Signal()
