#!/usr/bin/env python3
"""Checks that modules include only what the table of docs/architecture.md allows.

usage: tools/layers/check_layers.py [ROOT]

The table lists the modules, lowest first: `folder` | what is there | may use. A module may use only modules above it in the
table, so there are no circles. Every include between modules must be listed, and every listed use must exist. The files of
a folder belong to the module with the longest matching path. Exit code 0: the table is true; 1: each line says what is not.
"""
import pathlib
import re
import sys

ROW = re.compile(r"^\| `([a-z_/0-9]+)` \| .* \| ([^|]*) \|$", re.M)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def table(root):
    text = (root / "docs/architecture.md").read_text()
    begin = text.index("| folder | what is there | may use |")
    rows = ROW.findall(text[begin:text.index("\n\n", begin)])
    return {folder: set(re.findall(r"`([a-z_/0-9]+)`", uses)) for folder, uses in rows}


def module_of(path, modules):
    owners = [m for m in modules if path == m or path.startswith(m + "/")]
    return max(owners, key=len, default=None)


def includes(root, modules):
    """(module, used module) -> one example, "file includes header"."""
    found = {}
    for top in ("core", "archive", "llm_client", "daemon"):
        for file in sorted((root / top).rglob("*.[ch]pp")):
            name = str(file.relative_to(root))
            owner = module_of(name, modules)
            if owner is None:
                found.setdefault((name, None), f"{name} belongs to no module of the table")
                continue
            for header in INCLUDE.findall(file.read_text()):
                used = module_of(header, modules)
                if used not in (None, owner):
                    found.setdefault((owner, used), f"{name} includes {header}")
    return found


def problems(root):
    modules = table(root)
    order = list(modules)
    found = includes(root, modules)
    for (owner, used), example in found.items():
        if used is None:
            yield example
        elif used not in modules[owner]:
            yield f"{owner} may not use {used}: {example}"
    for owner, uses in modules.items():
        for used in sorted(uses):
            if used not in modules:
                yield f"{owner}: the table does not list {used}"
            elif order.index(used) > order.index(owner):
                yield f"{owner} stands above {used} in the table, which it uses"
            elif (owner, used) not in found:
                yield f"{owner} does not use {used}; take it out of the table"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    wrong = list(problems(root))
    for line in wrong:
        print(line)
    print(f"layers: {'the table of docs/architecture.md is true' if not wrong else f'{len(wrong)} differences'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
