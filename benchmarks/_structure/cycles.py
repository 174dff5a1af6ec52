"""Cycles among the modules of the product, imports inside functions and for types included."""

import ast
from collections.abc import Iterator, Mapping

Graph = Mapping[str, set[str]]


def cycles_of(graph: Graph) -> list[list[str]]:
    """Groups of modules that each lead back to themselves, sorted (strongly connected components, after Tarjan)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        path.append(name)
        for other in sorted(graph[name]):
            if other not in order:
                visit(other)
            if other in path:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            group = path[path.index(name) :]
            del path[path.index(name) :]
            if len(group) > 1 or name in graph[name]:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return sorted(found)


def imports_of(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Which module imports which, of Python files by path. `from package import module` leads to the module."""
    modules = {module_of(path): text for path, text in texts.items()}
    return {
        name: {other for found in _imported(text) if (other := _nearest(found, modules)) and other != name}
        for name, text in modules.items()
    }


def module_of(path: str) -> str:
    """`platform/voxloop/audit/__init__.py` → `voxloop.audit`."""
    return path.removeprefix("platform/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nearest(name: str, modules: Mapping[str, str]) -> str | None:
    """The module that a dotted name is, or is defined in."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None
