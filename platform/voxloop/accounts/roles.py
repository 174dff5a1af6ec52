"""The roles people have in a campaign."""

from django.db import models


class Role(models.TextChoices):
    """What a person does in one campaign. A person may have several, never both sides of one scan."""

    ANNOTATOR = "annotator", "Annotator"
    REVIEWER = "reviewer", "Reviewer"
    ARBITRATOR = "arbitrator", "Arbitrator"
    COORDINATOR = "coordinator", "Coordinator"
    DATA_MANAGER = "data_manager", "Data manager"
