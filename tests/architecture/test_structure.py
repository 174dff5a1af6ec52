"""`bench structure`: its figures are counted right, on small sources whose figures are known."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import structure
from benchmarks._structure import ROOT, programs, sources
from benchmarks._structure.contract import json_answers, read_document, untyped_operations
from benchmarks._structure.cycles import cycles_of, imports_of, module_of
from tests.contract import made

LONG_FUNCTION = "def one():\n" + "    pass\n" * 60
SMALL = {
    "platform/voxloop/a/__init__.py": "",
    "platform/voxloop/a/b.py": "from voxloop.a import c\nfrom voxloop.d import name\n",
    "platform/voxloop/a/c.py": "def late():\n    import voxloop.a.b\n",
    "platform/voxloop/d.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from voxloop.e import Name\n",
    "platform/voxloop/e.py": "import os, voxloop.d\n",
    "platform/voxloop/f.py": "from voxloop.a.b import x\nimport voxloop.e\n",
    "tests/test_a.py": "import voxloop.a.b\n\n",
}


def by_case(rows: Any) -> dict[str, dict[str, Any]]:
    return {row["case"]: row for row in rows}


def test_cycles_are_found_through_late_imports_and_those_for_types() -> None:
    graph = imports_of(SMALL)
    assert graph["voxloop.a.b"] == {"voxloop.a.c", "voxloop.d"}
    assert graph["voxloop.f"] == {"voxloop.a.b", "voxloop.e"}
    assert cycles_of(graph) == [["voxloop.a.b", "voxloop.a.c"], ["voxloop.d", "voxloop.e"]]


@pytest.mark.parametrize(
    ("graph", "cycles"),
    [
        ({}, []),
        ({"a": set()}, []),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
        ({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"b"}}, [["a", "b", "c", "d"]]),
    ],
)
def test_groups_that_lead_back_to_themselves(graph: Any, cycles: Any) -> None:
    assert cycles_of(graph) == cycles


def test_modules_are_named_as_they_are_imported() -> None:
    assert module_of("platform/voxloop/audit/__init__.py") == "voxloop.audit"
    assert module_of("mlservice/plan.py") == "mlservice.plan"


def test_the_product_has_no_cycle_and_its_modules_are_seen() -> None:
    product = {name: text for name, text in sources.python_files().items() if name.startswith(sources.PRODUCT)}
    graph = imports_of(product)
    assert "voxloop.audit.services" in graph["annotation.reviews.services"]
    assert "mlservice.contract.config" in graph["mlservice.plan"]
    assert cycles_of(graph) == []


def test_lines_are_counted() -> None:
    texts = {"long.py": "\n" * 301, "limit.py": "x\n" * 299 + "y" * 121 + "\n"}
    assert sources.long_files(texts) == {"long.py": 301}
    assert sources.longest_line(texts) == 121
    assert sources.longest_line({}) == 0
    assert sources.long_functions({"one.py": LONG_FUNCTION}) == {"one.py:one": 61}
    assert sources.long_functions({"one.py": LONG_FUNCTION.removesuffix("    pass\n")}) == {}
    assert sources.share_of_tests(SMALL) == pytest.approx(2 / 10)


def test_what_is_generated_is_not_counted() -> None:
    assert not [name for name in sources.python_files() if "/migrations/" in name]
    found = sources.frontend_files()
    assert not sources.GENERATED & set(found)
    assert all((ROOT / name).is_file() for name in sources.GENERATED)
    assert {Path(name).suffix for name in found} == {".ts", ".tsx", ".css"}


def test_rules_are_counted_by_the_name_they_have_in_the_configuration() -> None:
    codes = ["eslint(complexity)", "eslint(complexity)", "import(no-cycle)", "eslint(no-debugger)"]
    found = programs.count_rules([{"code": code} for code in codes])
    assert {name: n for name, n in found.items() if n} == {"complexity": 2, "import/no-cycle": 1}


def test_oxlint_reports_what_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is too long and too complex, and two files that import each other."""
    frontend = tmp_path / "frontend"
    (frontend / "src").mkdir(parents=True)
    (frontend / "node_modules").symlink_to(ROOT / "frontend" / "node_modules")
    branches = "".join(f"  if (n === {n}) return {n};\n" * 4 for n in range(16))
    (frontend / "src" / "a.ts").write_text(
        f'import {{ b }} from "./b";\nexport function a(n: number): number {{\n{branches}  return b;\n}}\n'
    )
    (frontend / "src" / "b.ts").write_text('import { a } from "./a";\nexport const b = a(1);\n')
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    found = programs.linted_typescript()
    assert (found["complexity"], found["max-lines-per-function"], found["max-lines"]) == (1, 1, 0)
    assert found["import/no-cycle"] == 2  # each file is on the way back to itself


@pytest.mark.parametrize(
    ("text", "errors_and_files"),
    [
        ("Success: no issues found in 876 source files\n", (0, 876)),
        ("a.py:1: error: no\nFound 1 error in 1 file (checked 876 source files)\n", (1, 876)),
        ("Found 280 errors in 60 files (checked 1 source file)\n", (280, 1)),
    ],
)
def test_the_last_line_of_mypy_is_read(text: str, errors_and_files: Any) -> None:
    assert programs.read_mypy(text) == errors_and_files


def test_mypy_that_ends_early_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="ended early"):
        programs.read_mypy("mypy: can't read file 'x'")


def test_an_untyped_operation_is_counted() -> None:
    def answer(schema: Any, status: str = "200") -> Any:
        return {"responses": {status: {"content": {"application/json": {"schema": schema}}}}}

    document = {
        "paths": {
            "/typed": {"get": answer({"$ref": "#/components/schemas/One"})},
            "/free": {"get": answer({"type": "object"}), "post": answer({}, "400")},
            "/bytes": {"get": {"responses": {"200": {"content": {"application/gzip": {"schema": {}}}}}}},
        }
    }
    assert untyped_operations(document) == {"GET /free"}


def test_the_committed_document_is_read() -> None:
    assert sorted(dict(json_answers(read_document()))) == sorted(dict(json_answers(made())))


def test_rows_of_python_say_what_misses_its_limit() -> None:
    rows = by_case(structure.rows_of_python({**SMALL, "mlservice/long.py": LONG_FUNCTION + "\n" * 240}))
    assert {case: row["ours"] for case, row in rows.items() if not row["holds"]} == {
        "cycles, Python": 2,
        "files > 300 lines, Python": 1,
        "functions > 60 lines, Python": 1,
        "test:source, Python": round(2 / 311, 3),
    }
    assert rows["complexity > 15, Python"]["holds"]


def test_a_finder_that_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.duplicate_pairs() is None
    row = structure.row_of_duplicates(None)
    assert "npx cannot get jscpd" in row["case"]
    assert "holds" not in row
    # An npx that is there, and has no network.
    (tmp_path / "npx").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "npx").chmod(0o755)
    assert programs.duplicate_pairs() is None


def test_pairs_are_named_by_their_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    report = '{"duplicates": [{"firstFile": {"name": "a.py"}, "secondFile": {"name": "b.py"}}]}'
    script = f"""#!/bin/sh
while [ "$1" != --output ]; do shift; done
echo '{report}' > "$2/jscpd-report.json"
"""
    (tmp_path / "npx").write_text(script)
    (tmp_path / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert programs.duplicate_pairs() == ["a.py ~ b.py"]
    assert structure.row_of_duplicates(["a.py ~ b.py"] * 11)["holds"] is False


def test_a_complex_function_is_found_whatever_excuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (*sources.FOLDERS, "annotation"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    branches = "".join(f"    if n == {n}:\n        return {n}\n" for n in range(15))
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "mlservice" / "one.py").write_text(f"def one(n):  # noqa: C901\n{branches}    return n\n")
    (tmp_path / "mlservice" / "two.py").write_text(f"def two(n):\n{branches.replace('n == 3', 'n')}    return n\n")
    (tmp_path / "mlservice" / "less.py").write_text("def less(n):\n    return n\n")
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    assert [line.partition(":")[0] for line in programs.complex_functions()] == ["mlservice/one.py", "mlservice/two.py"]
