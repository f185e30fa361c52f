"""Prove which build this interpreter imports: `assert_compiled.py compiled|interpreted`.

The fallback to pure Python is meant for users; in CI it would hide that nothing was compiled.
"""

import importlib
import pkgutil
import sys

EXTENSION_SUFFIXES = (".so", ".pyd")


def module_files() -> dict[str, str]:
    """The file of every module of core and sim, by module name."""
    files = {}
    for room in ("zvt_trading.core", "zvt_trading.sim"):
        package = importlib.import_module(room)
        for found in pkgutil.iter_modules(package.__path__, f"{room}."):
            files[found.name] = str(importlib.import_module(found.name).__file__)
    return files


def main(arguments: list[str]) -> int:
    """Check every module; the exit code."""
    wanted = arguments[0]
    files = module_files()
    wrong = [
        f"{name} is {path}"
        for name, path in files.items()
        if path.endswith(EXTENSION_SUFFIXES) != (wanted == "compiled")
    ]
    for line in wrong:
        print(f"not {wanted}: {line}")
    print(f"{len(files) - len(wrong)} of {len(files)} modules of core and sim are {wanted}")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
