"""Stored objects of models, for the scrub and the collection."""

from annotation.learning.models import ModelVersion
from voxloop.keeping.registry import ObjectKind

KEPT = (
    ObjectKind("models", ModelVersion.objects.all, "weights_key"),
    ObjectKind("portables", ModelVersion.objects.all, "portable_key"),
)
