"""Build of the compiled modules; everything else about the project is in pyproject.toml.

`core` and `sim` are ordinary typed Python. When a C compiler is there, mypyc compiles them; when
not, or when anything about compiling fails, the same files are installed as they are, with one
notice (pip shows it with -v). The environment decides otherwise:

    ZVT_TRADING_COMPILE=0   never compile
    ZVT_TRADING_COMPILE=1   compile, or fail and say why
"""

import atexit
import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED_PACKAGES = ("src/zvt_trading/core", "src/zvt_trading/sim")
# What every order of the front door goes through as well, behind what checks a caller's input: that
# must meet values of any type itself, to say what is wrong with them.
COMPILED_MODULES = tuple(
    f"src/zvt_trading/runtime/{name}.py" for name in ("desk", "driver", "results")
)
BUILDING = {"bdist_wheel", "build", "build_ext", "develop", "editable_wheel", "install"}

WISH = os.environ.get("ZVT_TRADING_COMPILE", "")
FORCED = WISH == "1"

# C files, objects and copies stay out of the tree: a stale build/ would be packed by the next
# build, and an interpreted run must find no compiled module beside its source.
WORK = Path(mkdtemp(prefix="zvt-trading-build-"))
atexit.register(shutil.rmtree, WORK, ignore_errors=True)

# Nothing replaces our functions at load time: calls among them need not go through the linkage
# table. Some 10 % faster, measured with `python -m benchmarks W2`.
DIRECT_CALLS = ["-fno-semantic-interposition", "-fvisibility=hidden"]

PROBE = """
#include <Python.h>
int probe(void) { return Py_IsInitialized(); }
"""


class CannotCompileError(Exception):
    """Compiling is impossible here; the text says why."""


class AllOrNothing(build_ext):
    """All extensions or none.

    `Extension(optional=True)` would skip a failed library and keep the modules that load it: an
    installation that cannot be imported.
    """

    def build_extensions(self) -> None:
        """Build all; on any failure remove what was built, unless compiling was asked for."""
        try:
            super().build_extensions()
        except Exception as error:
            if FORCED:
                raise
            for path in self.get_outputs():
                Path(path).unlink(missing_ok=True)
            self.extensions.clear()
            give_notice(f"the C compiler failed: {error}")


def give_notice(reason: str) -> None:
    """Say once that the installation is pure Python, why, and what would change it."""
    sys.stderr.write(
        f"\nNOTICE: zvt-trading is installed as pure Python: {reason}.\n"
        "NOTICE: it gives the same results, some 4 times slower. For speed, get a C compiler and\n"
        "NOTICE: the headers of Python (apt-get install gcc python3-dev) and install it again;\n"
        "NOTICE: ZVT_TRADING_COMPILE=1 then fails, with the reason, rather than fall back.\n\n"
    )


def prove_compiler() -> None:
    """Compile ten lines of C before spending a minute on translating ours."""
    from setuptools.dist import Distribution

    source = WORK / "probe.c"
    source.write_text(PROBE)
    command = build_ext(Distribution({"ext_modules": [Extension("probe", [str(source)])]}))
    command.build_lib = command.build_temp = str(WORK / "probe")
    try:
        command.ensure_finalized()
        command.run()
    except Exception as error:
        message = f"no working C compiler with the headers of this Python ({error})"
        raise CannotCompileError(message) from error


def translate() -> list[Extension]:
    """Let mypyc write the C of every module of the compiled packages."""
    modules = [
        str(path)
        for package in COMPILED_PACKAGES
        for path in sorted(Path(package).glob("*.py"))
        if path.name != "__init__.py"
    ]
    modules.extend(COMPILED_MODULES)
    try:
        from mypyc.build import mypycify

        # Not the project's mypy settings: what is a style error there must not cost the speed here.
        # One C file for all: gcc inlines across modules, and it takes a minute.
        found: list[Extension] = mypycify(
            ["--config-file=", *modules],
            opt_level="3",
            debug_level="0",
            group_name="zvt_trading",
            target_dir=str(WORK / "c"),
        )
    except SystemExit as error:
        message = "mypyc refused the sources, its errors are above"
        raise CannotCompileError(message) from error
    except Exception as error:
        message = f"mypyc failed: {error!r}"
        raise CannotCompileError(message) from error
    for extension in found:
        # mypyc adds -Werror: a new warning of a newer gcc would cost the user the compiled build.
        arguments = extension.extra_compile_args
        kept = [each for each in arguments if each != "-Werror"]
        extension.extra_compile_args = kept + (DIRECT_CALLS if os.name == "posix" else [])
    return found


def extensions() -> list[Extension]:
    """The extensions to build; none where that is wished or compiling is impossible."""
    if WISH not in {"", "0", "1"}:
        sys.exit(f"ZVT_TRADING_COMPILE is {WISH!r}; it may be 0, 1 or unset")
    if WISH == "0" or not BUILDING.intersection(sys.argv):
        return []
    try:
        prove_compiler()
        return translate()
    except CannotCompileError as error:
        if FORCED:
            sys.exit(f"ZVT_TRADING_COMPILE=1, but {error}")
        give_notice(str(error))
        return []


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": AllOrNothing},
    options={"build": {"build_base": str(WORK / "build")}},
)
