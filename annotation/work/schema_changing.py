"""A new version of a campaign's label schema: what changes, and what work that exists does not let change.

Masks hold numbers and answers hold keys, not versions: a change is allowed where everything stored reads under the new
version as it read before (docs/formats.md, docs/adr/0045).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from annotation.work.models import Campaign, LabelSchema
from annotation.work.questions import Question
from annotation.work.schema import Layer, Schema, Segment, parse_schema
from annotation.work.schema_uses import Uses, counted, find_uses
from voxloop.accounts.actors import Actor
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict

MOST_TOLD = 3  # reasons in one refusal


@transaction.atomic
def change_schema(*, campaign: Campaign, definition: dict[str, Any], seen_version: int, actor: Actor) -> list[str]:
    """Give the campaign a new version of its label schema; returns what changed, a sentence each, empty for nothing.

    `seen_version` is the version that was edited. Raises Invalid (`bad_schema`), Conflict (`schema_moved` when another
    version was saved meanwhile, `schema_in_use` with what holds the old one in place)."""
    parse_schema(definition)
    row = Campaign.objects.select_for_update(of=("self",)).select_related("schema").get(pk=campaign.pk)
    if row.schema.version != seen_version:
        raise Conflict(
            f"Version {row.schema.version} of the label schema was saved while you edited version {seen_version}. "
            "Download yours as typed if you want to keep it, open the page again and make your changes there.",
            code="schema_moved",
        )
    old, new = parse_schema(row.schema.definition), parse_schema(definition)
    if old == new:
        return []
    changes = list(differences(old, new))
    if reasons := list(hindrances(old, new, find_uses(row))):
        more = len(reasons) - MOST_TOLD
        told = " ".join(reasons[:MOST_TOLD]) + (f" And {more} more." if more > 0 else "")
        raise Conflict(told, code="schema_in_use", reasons=reasons)
    newest = LabelSchema.objects.filter(name=row.schema.name).order_by("-version").first()
    version = (newest or row.schema).version + 1
    schema = LabelSchema.objects.create(name=row.schema.name, version=version, definition=definition)
    before = row.schema.version
    row.schema = schema
    row.save(update_fields=["schema"])
    record(
        actor=actor,
        action="campaign.schema_changed",
        target=row,
        old={"version": before},
        new={"version": version, "schema": str(schema.pk), "changes": changes[:50]},
    )
    return changes


def versions_of(campaign: Campaign) -> list[LabelSchema]:
    """The versions of the campaign's schema, the newest first."""
    return list(LabelSchema.objects.filter(name=campaign.schema.name).order_by("-version"))


def differences(old: Schema, new: Schema) -> Iterator[str]:
    """What differs between two versions, one sentence each."""
    layers = {layer.name: layer for layer in old.layers}
    for layer in new.layers:
        before = layers.pop(layer.name, None)
        if before is None:
            yield f"New layer {layer.title}."
        else:
            yield from _layer_differences(before, layer)
    yield from (f"Layer {layer.title} removed." for layer in layers.values())
    yield from _order("layers", [one.name for one in old.layers], [one.name for one in new.layers])
    questions = {question.key: question for question in old.questions}
    for question in new.questions:
        asked = questions.pop(question.key, None)
        if asked is None:
            yield f"New question “{question.text}”."
        elif asked != question:
            yield from _question_differences(asked, question)
    yield from (f"Question “{question.text}” removed." for question in questions.values())
    yield from _order("questions", [one.key for one in old.questions], [one.key for one in new.questions])


def _layer_differences(old: Layer, new: Layer) -> Iterator[str]:
    if old.title != new.title:
        yield f"Layer {old.title} is called {new.title}."
    if (old.editable, old.limit) != (new.editable, new.limit):
        yield f"Layer {new.title} is drawn on or limited in another way."
    was = {segment.id: segment for segment in old.segments}
    for segment in new.segments:
        before = was.pop(segment.id, None)
        if before is None:
            yield f"New segment {segment.name}."
        elif before != segment:
            parts = [
                word
                for word, differs in {
                    f"called {segment.name}": before.name != segment.name,
                    "another colour": before.colour != segment.colour,
                    "another coded term": before.code != segment.code,
                    "another key": before.key != segment.key,
                    "another sign of infection": before.infectious != segment.infectious,
                }.items()
                if differs
            ]
            yield f"Segment {before.name}: {', '.join(parts)}."
    yield from (f"Segment {segment.name} removed." for segment in was.values())
    yield from _order(f"segments of {new.title}", [one.id for one in old.segments], [one.id for one in new.segments])


def _question_differences(old: Question, new: Question) -> Iterator[str]:
    was, now = ({option.value: option.label for option in one.options} for one in (old, new))
    added = [label for value, label in now.items() if value not in was]
    gone = [label for value, label in was.items() if value not in now]
    if added:
        yield f"“{new.text}” has the new choices {', '.join(added)}."
    if gone:
        yield f"“{new.text}” lost the choices {', '.join(gone)}."
    if not (added or gone):
        yield f"“{old.text}” is asked in another way."


def _order(what: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    if [one for one in old if one in new] != [one for one in new if one in old]:
        yield f"Another order of the {what}."


def hindrances(old: Schema, new: Schema, uses: Uses) -> Iterator[str]:
    """Why work that exists does not allow the change, one sentence each, with what uses it and what to do instead."""
    if not uses.any:
        return
    if old.layer().name in uses.layers and new.layer().name != old.layer().name:
        yield (
            f"{old.layer().title} has to stay the first layer that is drawn on: {_by(uses.layers[old.layer().name])} "
            "are of it."
        )
    layers = {layer.name: layer for layer in new.layers}
    for layer in old.layers:
        yield from _layer_hindrances(layer, layers.get(layer.name), uses)
    questions = {question.key: question for question in new.questions}
    for question in old.questions:
        yield from _question_hindrances(question, questions.get(question.key), uses)


def _layer_hindrances(old: Layer, new: Layer | None, uses: Uses) -> Iterator[str]:
    held = uses.layers.get(old.name, [])
    if new is None:
        if held or uses.open_scans:
            yield f"Layer {old.title} has to stay: {_by(held, uses)}. Give it another title instead."
        return
    if held and (old.editable, old.limit) != (new.editable, new.limit):
        yield f"Whether {old.title} is drawn on, and its limit, have to stay: there are {_by(held)} of it."
    after = {segment.id: segment for segment in new.segments}
    for segment in old.segments:
        yield from _segment_hindrances(segment, after.get(segment.id), uses.segments.get((old.name, segment.id)), uses)


def _segment_hindrances(old: Segment, new: Segment | None, held: list[str] | None, uses: Uses) -> Iterator[str]:
    if new is None:
        if held or uses.open_scans:
            yield (
                f"Segment {old.name} (value {old.id}) cannot be removed, nor get another value: it is used by "
                f"{_by(held or [], uses)}. Rename it, or leave it out of the guidelines."
            )
        return
    if not held:
        return
    changed = {
        "key": old.key != new.key,
        "coded term": bool(old.code) and old.code != new.code,
        "sign of infection": old.infectious != new.infectious,
    }
    if words := [word for word, differs in changed.items() if differs]:
        yield (
            f"The {' and the '.join(words)} of {old.name} (value {old.id}) cannot change: {_by(held)} mean it. "
            "Make a new segment for the new meaning."
        )


def _question_hindrances(old: Question, new: Question | None, uses: Uses) -> Iterator[str]:
    held = uses.questions.get(old.key)
    if new is None:
        if held or uses.open_scans:
            by = _by(held or [], uses)
            yield f"The question “{old.text}” cannot be removed: there are {by}. Change its text instead."
        return
    if held and old.kind != new.kind:
        yield f"The kind of “{old.text}” cannot change: there are {_by(held)}. Make a new question."
        return
    if held and (words := list(_narrowed(old, new, uses))):
        yield f"The {' and the '.join(words)} of “{old.text}” cannot change like this: there are {_by(held)}."
    after = {option.value: option for option in new.options}
    for option in old.options:
        chosen = uses.choices.get((old.key, option.value))
        now = after.get(option.value)
        if now is None and (chosen or uses.open_scans):
            yield (
                f"The choice “{option.label}” of “{old.text}” cannot be removed: it is in the "
                f"{_by(chosen or [], uses)}. Rename it instead."
            )
        elif now is not None and chosen and now.means != option.means:
            yield (
                f"What “{option.label}” of “{old.text}” says about infection cannot change: it is in the {_by(chosen)}."
            )


def _narrowed(old: Question, new: Question, uses: Uses) -> Iterator[str]:
    """What would make answers that exist invalid, hide them, or let them mean something else."""
    if old.unit != new.unit:
        yield "unit"
    low, high = uses.numbers.get(old.key, (0.0, 0.0))
    if old.key in uses.numbers and (
        (new.minimum is not None and low < new.minimum) or (new.maximum is not None and high > new.maximum)
    ):
        yield "range"
    if old.kind == "number" and new.decimals < old.decimals:
        yield "number of decimals"
    if old.kind == "text" and uses.longest.get(old.key, 0) > new.max_length:
        yield "length"
    was, now = old.shown_when, new.shown_when
    if now is None or now == was:
        return
    if was is None or was.question != now.question or not set(was.values) <= set(now.values):
        yield "condition"


def _by(held: Sequence[str], uses: Uses | None = None) -> str:
    """`masks of 3 scans and 1 training`; scans that are open where nothing else holds it."""
    words = list(held)
    if not words and uses is not None and uses.open_scans:
        words = [f"{counted(uses.open_scans, 'scan')} that {'is' if uses.open_scans == 1 else 'are'} open just now"]
    return " and ".join(words)
