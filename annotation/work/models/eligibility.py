"""A campaign's criteria, and what they say of each of its scans."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.models import Scan
from annotation.work.models.campaigns import Campaign


class Criteria(models.Model):
    """What a scan of the campaign must be (annotation.work.eligibility.rules); without a row every scan is eligible."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="criteria")
    definition = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["campaign"]

    def __str__(self) -> str:
        return f"criteria of {self.campaign}"


class Overrule(models.TextChoices):
    """What a person decided against the criteria."""

    TAKEN = "taken", "Taken nevertheless"
    LEFT_OUT = "left_out", "Left out nevertheless"


class Eligibility(models.Model):
    """The judgement of a scan of a campaign. `reasons` are `[code, sentence]`; the first code is the `exclusion`, which
    counts in the flow chart of a paper. A person's decision stays when the scan is judged again."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="eligibilities")
    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="eligibilities")
    is_eligible = models.BooleanField()
    exclusion = models.CharField(max_length=24, blank=True)
    reasons = models.JSONField(default=list)
    advice = models.CharField(max_length=200, blank=True)
    is_picked = models.BooleanField(default=False)  # of the series of its study
    overruled = models.CharField(max_length=8, choices=Overrule.choices, blank=True)
    overruled_why = models.CharField(max_length=500, blank=True)
    overruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="overruled_eligibilities"
    )
    judged_at = models.DateTimeField(auto_now=True)  # when the judgement, or a decision, changed last

    class Meta:
        ordering = ["campaign", "scan"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "scan"], name="eligibility_once"),
            models.CheckConstraint(
                condition=Q(is_eligible=True, exclusion="") | Q(is_eligible=False) & ~Q(exclusion=""),
                name="eligibility_says_why",
            ),
            models.CheckConstraint(
                condition=Q(overruled="") | Q(overruled__in=Overrule.values) & ~Q(overruled_why=""),
                name="eligibility_overruled_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "is_eligible"], name="eligibility_campaign")]

    def __str__(self) -> str:
        return f"{self.scan}: {self.exclusion or 'eligible'}"
