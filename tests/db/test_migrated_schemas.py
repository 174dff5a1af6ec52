"""Schemas older than `limit` of a layer: their findings were checked against the lungs, and still are."""

from importlib import import_module

import pytest
from django.apps import apps

from annotation.work.models import LabelSchema
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from tests.factories.schemas import LIVER


@pytest.mark.django_db
def test_what_was_drawn_on_keeps_its_limit_and_nothing_else_changes() -> None:
    before = {**CHEST_CT, "layers": [{k: v for k, v in layer.items() if k != "limit"} for layer in CHEST_CT["layers"]]}
    old = LabelSchema.objects.create(name="old", definition=before)
    other = LabelSchema.objects.create(name="liver", definition=LIVER)
    migrate = import_module("annotation.work.migrations.0002_layers_say_their_limit").keep_within_lungs
    migrate(apps, None)
    old.refresh_from_db()
    other.refresh_from_db()
    assert old.definition == CHEST_CT
    assert [layer.limit for layer in parse_schema(other.definition).layers] == ["", "lungs"]
