"""The contract between server and browser: every response is typed, and the generated files are not stale."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings

from benchmarks._structure.contract import json_answers, untyped_operations
from tests.contract import made
from voxloop.kernel.facts import plain
from voxloop.project.contract import Schema
from voxloop.project.management.commands.contract import DOCUMENT, SHAPES, TYPES, files, stale_files
from voxloop.project.shapes import READ, shapes_of
from voxloop.project.typescript import types_of

# Untyped parts, and where their form is documented.
FREE = {
    "Answers.values": "answers, by the label schema's questions (docs/formats.md)",
    "ReviewOfContext.answers": "answers",
    "SavedAnswers.values": "answers",
    "Settings.values": "what the viewer keeps; the server is not its reader (docs/formats.md)",
    "Me.preferences": "the same, as it is stored",
    "Job.result": "what each kind of job tells (docs/formats.md)",
    "Model.metrics": "documents of the ML stages (docs/ml-contract.md)",
    "Run.gate": "docs/ml-contract.md",
    "RunDetail.gate": "docs/ml-contract.md",
    "RunDetail.curves": "docs/ml-contract.md",
    "RunDetail.manifest": "docs/ml-contract.md",
    "RunDetail.results": "docs/ml-contract.md",
}


def free_parts(schema: Schema, path: str, passed: set[str]) -> Iterator[str]:
    """The untyped parts of a schema and of components that it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in passed:
            passed.add(name)
            yield from free_parts(made()["components"]["schemas"][name], name, passed)
        return
    several = [one for kind in ("anyOf", "oneOf", "allOf") for one in schema.get(kind, [])]
    says_nothing = not set(schema) - {"description"}
    if says_nothing or (
        schema.get("type") == "object" and not (schema.keys() & {"properties", "additionalProperties"})
    ):
        yield path
    for field, part in schema.get("properties", {}).items():
        yield from free_parts(part, f"{path}.{field}", passed)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from free_parts(schema[key], path, passed)
    for part in [*several, *schema.get("prefixItems", [])]:
        yield from free_parts(part, path, passed)


def test_no_operation_is_untyped() -> None:
    assert len(dict(json_answers(made()))) > 65
    assert untyped_operations(made()) == set()


def test_what_may_hold_anything_is_known() -> None:
    passed: set[str] = set()
    assert {path for _, schema in json_answers(made()) for path in free_parts(schema, "", passed)} == set(FREE)


def test_the_document_the_types_and_the_shapes_are_not_stale() -> None:
    assert stale_files() == [], "run `python3 manage.py contract`"


def test_a_changed_answer_is_seen_in_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    document = "voxloop.project.management.commands.contract.document"
    changed = dict(made())
    changed["components"] = {"schemas": {"Beat": {"type": "object", "properties": {"x": {"type": "null"}}}}}
    monkeypatch.setattr(document, lambda: changed | {"paths": {}})
    assert set(files()) == {DOCUMENT, TYPES, SHAPES} == set(stale_files())


def test_types_say_what_the_document_says() -> None:
    """One example of each form."""
    fields: dict[str, Schema] = {
        "text": {"type": ["string", "null"], "description": "a line"},
        "in": {"type": "array", "items": {"type": ["string", "boolean"]}},
        "ijk": {
            "anyOf": [{"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3}, {"type": "null"}]
        },
        "place": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
        "state": {"type": "string", "enum": ["open", ""]},
        "other-name": {"$ref": "#/components/schemas/Other"},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "free": {},
    }
    component = {"type": "object", "properties": fields, "required": [name for name in fields if name != "free"]}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Other"}}}}
    operation = {
        "requestBody": body,
        "responses": {"204": {}, "200": {"content": {"application/gzip": {"schema": {}}}}},
    }
    written = types_of({"components": {"schemas": {"One": component}}, "paths": {"/x/{id}": {"post": operation}}})
    assert written.partition("*/\n\n")[2] == (
        "export interface One {\n"
        "  /** a line */\n"
        "  readonly text: string | null;\n"
        "  readonly in: readonly (string | boolean)[];\n"
        "  readonly ijk: readonly [number, number, number] | null;\n"
        "  readonly place: readonly [number, string];\n"
        '  readonly state: "open" | "";\n'
        '  readonly "other-name": Other;\n'
        "  readonly counts: Readonly<Record<string, number>>;\n"
        "  readonly free?: unknown;\n"
        "}\n\n"
        "/** What each call takes and answers; `undefined`: no body, `Uint8Array`: bytes. */\n"
        "export interface Calls {\n"
        '  "POST /x/{id}": {\n'
        "    readonly body: Other;\n"
        "    readonly answer: Uint8Array | undefined;\n"
        "  };\n"
        "}\n"
    )
    with pytest.raises(ValueError, match="no type"):
        types_of({"components": {"schemas": {"One": {"type": "set"}}}, "paths": {}})


def component(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": [name for name in fields if name != "free"]}


def test_shapes_say_what_the_document_says() -> None:
    """One of each form, by hand; what nothing that is read is made of is left out."""
    whole: Schema = {"type": "integer"}
    text: Schema = {"type": "string"}
    schemas = {
        "One": component(
            id=text,
            at={"type": ["string", "null"], "format": "date-time"},
            name={"type": "string", "description": "a line"},
            among={"type": "array", "items": {"type": ["string", "boolean"]}},
            ijk={"anyOf": [{"type": "array", "items": whole, "minItems": 3, "maxItems": 3}, {"type": "null"}]},
            state={"type": "string", "enum": ["open", ""]},
            other={"oneOf": [{"$ref": "#/components/schemas/Other"}, {"type": "null"}]},
            counts={"type": "object", "additionalProperties": whole},
            values={"type": "object", "additionalProperties": {}},
            free={},
        ),
        "Other": component(share={"type": "number"}, is_read={"type": "boolean"}, kept=text),
        "Unread": component(kind={"type": "set"}),
    }
    written = shapes_of({"components": {"schemas": schemas}}, {"One": (), "Other": ("share", "is_read")})
    assert written.partition('contract";\n\n')[2] == (
        'export const One: Shape<contract.One> = "A";\n'
        'export const Other: Shape<Pick<contract.Other, "share" | "is_read">> = "B";\n'
        "\n"
        "/** Components by their marks. */\n"
        "export const PARTS: Readonly<Record<string, string>> = {\n"
        "  // One\n"
        '  A: "id name:s at:?s among:[sb ijk:?3i state:=open/ other:?B counts:{i values:{* free?:*",\n'
        "  // Other\n"
        '  B: "share:n is_read:b",\n'
        "};\n"
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "set"},
        {"type": "string", "enum": ["two words"]},
        {"type": "string", "enum": ["a/b"]},
        {"enum": [1, 2]},
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        {"type": "array", "items": {"type": "integer"}, "minItems": 16, "maxItems": 16},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
    ],
)
def test_what_has_no_shape_is_refused(schema: Schema) -> None:
    with pytest.raises(ValueError, match=r"no (shape|word)"):
        shapes_of({"components": {"schemas": {"One": component(field=schema)}}}, {"One": ()})


def test_what_comes_with_the_page_is_used() -> None:
    sources = (settings.BASE_DIR / "frontend" / "src").rglob("*.ts*")
    used = {name for path in sources for name in re.findall(r"\bshapes?\.(\w+)", path.read_text(encoding="utf-8"))}
    assert set(READ) - used == set(), "take these out of READ"


def test_what_is_read_exists_and_each_mark_is_its_own() -> None:
    schemas = made()["components"]["schemas"]
    assert {name for name in READ if name not in schemas} == set()
    many = {f"Part{n:03}": component(field={"type": "string"}) for n in range(80)}
    written = shapes_of({"components": {"schemas": many}}, dict.fromkeys(many, ()))
    marks = [line.split(":")[0].strip() for line in written.partition("PARTS")[2].splitlines() if '"field:s"' in line]
    assert len(set(marks)) == len(marks) == 80


def test_dataclasses_become_plain_documents() -> None:
    @dataclass(frozen=True)
    class Part:
        in_: tuple[int, int]

    @dataclass(frozen=True)
    class Whole:
        parts: list[Part]
        by_name: dict[str, Part]
        kept: str | None = None

    whole = Whole([Part((1, 2))], {"a_": Part((3, 4))})
    assert plain(whole) == {"parts": [{"in": [1, 2]}], "by_name": {"a_": {"in": [3, 4]}}, "kept": None}
