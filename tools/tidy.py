"""Rules of this code base that imports and linters cannot show.

Run `python tools/tidy.py` from the root of the repository: prints what is wrong, one line each,
and exits with 1 when there is anything. The rules are the functions named `*_findings` below.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500

PACKAGE = Path("src/zvt_trading")
# Money and prices are ints, and every run must repeat the last one to the bit.
EXACT_ROOMS = ("messages", "core", "sim")
# Time and chance come in as inputs.
TIMELESS_ROOMS = (*EXACT_ROOMS, "runtime")
SEARCHED = ("src", "tests", "tools", "benchmarks", "proof", "setup.py")

# What the exact rooms may import besides each other: what is not listed needs a reason to be.
PURE_MODULES = {"bisect", "collections", "hashlib", "heapq", "mypy_extensions", "typing"}
IMPORTS = {
    "messages": {"collections", "enum", "msgspec", "typing"},
    "core": PURE_MODULES,
    "sim": PURE_MODULES,
}
CLOCK_AND_CHANCE_MODULES = {"random", "secrets", "time", "uuid"}
WALL_CLOCKS = {"date.today", "datetime.now", "datetime.today", "datetime.utcnow"}

Finding = tuple[int, str]  # line number, what is wrong

# A code, then a reason of at least two words.
EXPLAINED_NOQA = re.compile(r"noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*\s+\W*\w+\W+\w+")
EXPLAINED_IGNORE = re.compile(r"type: ignore\[[a-z, -]+\]\s+\W*\w+\W+\w+")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def is_set(node: ast.expr) -> bool:
    """Whether the expression makes a set where it stands."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.BinOp):
        return is_set(node.left) or is_set(node.right)
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return called and ast.unparse(node).startswith(("set(", "frozenset("))


def exactness_findings(tree: ast.Module) -> Iterator[Finding]:
    """No float, no true division, no iteration in the order of hashes."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield node.lineno, "float literal: numbers here are ints on a scale"
            case ast.Name(id="float"):
                yield node.lineno, "float: numbers here are ints on a scale"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division makes a float: use // with a named rounding"
            case ast.For(iter=iterated) if is_set(iterated):
                yield node.lineno, "iteration over a set: the order is not defined"
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                if any(is_set(part.iter) for part in node.generators):
                    yield node.lineno, "iteration over a set: the order is not defined"
            case ast.Call(func=ast.Name(id="list" | "tuple" | "iter" | "enumerate"), args=args):
                if any(is_set(argument) for argument in args):
                    yield node.lineno, "a sequence made of a set: the order is not defined"
            case _:
                pass


def imported_modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The top-level names of the modules an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [(node.module or "").partition(".")[0]]


def clock_findings(tree: ast.Module) -> Iterator[Finding]:
    """No clock and no unseeded chance."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in CLOCK_AND_CHANCE_MODULES.intersection(imported_modules(node)):
                yield node.lineno, f"import of {name}: time and chance come in as inputs"
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(tuple(WALL_CLOCKS)):
            yield node.lineno, f"{ast.unparse(node)}: time and chance come in as inputs"


def import_findings(tree: ast.Module, room: str) -> Iterator[Finding]:
    """Imports of an exact room that are not listed; between our rooms import-linter decides."""
    allowed = IMPORTS[room] | {PACKAGE.name}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported_modules(node):
                if name not in allowed:
                    yield node.lineno, f"import of {name or 'a relative name'}: not in {room}"


def length_findings(tree: ast.Module, source: str) -> Iterator[Finding]:
    """What does not fit the eye: long functions, long files."""
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        yield 1, f"file of {lines} lines, at most {FILE_LINES_MAX}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"


def comment_findings(source: str) -> Iterator[Finding]:
    """Suppressions without a code and a reason, and notes of unfinished work."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string
        if re.search(r"\bnoqa\b", text) and not EXPLAINED_NOQA.search(text):
            yield line, "noqa without a code and a reason: `# noqa: CODE - why it is right`"
        if re.search(r"\btype: ignore\b", text) and not EXPLAINED_IGNORE.search(text):
            yield line, "type: ignore without a code and a reason: `# type: ignore[code]  # why so`"
        if UNFINISHED.search(text):
            yield line, "unfinished work belongs to an issue"


def findings(path: Path, source: str) -> list[Finding]:
    """Everything wrong with one file, in the order of its lines; `path` decides on the rules."""
    tree = ast.parse(source)
    found = list(comment_findings(source))
    if path.is_relative_to(PACKAGE):
        room = path.relative_to(PACKAGE).parts[0]
        rules: list[tuple[tuple[str, ...], Callable[[ast.Module], Iterator[Finding]]]] = [
            (EXACT_ROOMS, exactness_findings),
            (TIMELESS_ROOMS, clock_findings),
        ]
        for rooms, rule in rules:
            if room in rooms:
                found += rule(tree)
        if room in IMPORTS:
            found += import_findings(tree, room)
        found += length_findings(tree, source)
    return sorted(found)


def python_files() -> list[Path]:
    """Every Python file of the project, sorted."""
    roots = [Path(name) for name in SEARCHED if Path(name).exists()]
    files = [root for root in roots if root.is_file()]
    return sorted(files + [path for root in roots for path in root.rglob("*.py")])


def main() -> int:
    """Check every file; the exit code."""
    files = python_files()
    count = 0
    for path in files:
        for line, text in findings(path, path.read_text(encoding="utf-8")):
            count += 1
            print(f"{path}:{line}: {text}")
    print(f"tidy: {len(files)} files, {count} finding{'' if count == 1 else 's'}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
