"""What is stored of models, for the scrub and the collection."""

from annotation.learning.models import ModelVersion
from voxloop.keeping.shelves import Shelf

KEPT = (Shelf("models", ModelVersion.objects.all, "weights_key"),)
