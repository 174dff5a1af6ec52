"""What people are told of."""

from django.db.models import TextChoices


class NoticeKind(TextChoices):
    """Each can be switched off per person and channel."""

    WORK_GIVEN = "work_given", "Work was given to me"
    WORK_RETURNED = "work_returned", "A scan came back to me"
    COMMENT = "comment", "A comment or an answer on my work"
    DUE = "due", "My batch is due tomorrow, or its date has passed"
    REVIEWS_WAIT = "reviews_wait", "Reviews wait for me, once a day"
    BATCH_ENDED = "batch_ended", "A batch of my campaign has ended"
    CERTIFICATION = "certification", "My certification was passed or failed"
    TRAINING = "training", "A training of my campaign has ended"


class Channel(TextChoices):
    """Where they are told."""

    PAGE = "page", "On the page"
    MAIL = "mail", "By e-mail"
