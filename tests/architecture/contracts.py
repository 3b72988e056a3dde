"""How does import-linter check that a module imports only what it may, and that a library is imported in one place
only?

The contracts that come with import-linter list what is forbidden. The two contracts of this file list what is allowed,
so that the rules hold for a new service from its first file. pyproject.toml uses both.
"""

import sys
from fnmatch import fnmatchcase
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

OURS = {"schemas", "services", "deploy", "tests"}


class ImportsOnly(Contract):
    """`modules` and what is below them may import `allowed` and nothing else; the rule does not apply to `exempt`
    modules.

    `allowed`: module names and three special values: `stdlib`, `third-party`, `own service` (the package
    `services.<name>` of the importing module, without its exempt modules). `never` lists exceptions that stay
    forbidden, such as `logging` of the standard library.
    """

    type_name = "imports_only"

    modules = fields.SetField(subfield=fields.StringField())
    allowed = fields.SetField(subfield=fields.StringField())
    never = fields.SetField(subfield=fields.StringField(), required=False)
    exempt = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Returns a check that is broken if a direct import is not allowed, or if the contract covers no module."""
        under_rule = [m for m in sorted(graph.modules) if _within(m, _names(self.modules)) and not self._exempt(m)]
        wrong = [
            _link(graph, module, imported)
            for module in under_rule
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if not self._may(module, imported)
        ]
        return ContractCheck(kept=bool(under_rule) and not wrong, metadata={"wrong": wrong, "empty": not under_rule})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints one line for each wrong import."""
        if check.metadata["empty"]:
            output.print_error("The contract covers no module.")
        _print(check)

    def _exempt(self, module: str) -> bool:
        return _within(module, _names(self.exempt))

    def _may(self, module: str, imported: str) -> bool:
        allowed = _names(self.allowed)
        root = imported.partition(".")[0]
        if root in _names(self.never):
            return False
        if root in sys.stdlib_module_names:
            return "stdlib" in allowed
        if root not in OURS and "third-party" in allowed:
            return True
        if "own service" in allowed and imported.split(".")[:2] == module.split(".")[:2] and not self._exempt(imported):
            return True
        return _within(imported, allowed)


class LivesIn(Contract):
    """Only `homes`, and what is below them, may import `libraries`. A home may be a module that is not written yet."""

    type_name = "lives_in"

    libraries = fields.SetField(subfield=fields.StringField())
    homes = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Returns a check that is broken by each direct import of one of `libraries` in a module outside `homes`."""
        wrong = [
            _link(graph, module, library)
            for library in sorted(_names(self.libraries) & graph.modules)
            for module in sorted(graph.find_modules_that_directly_import(library))
            if not _within(module, _names(self.homes))
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints one line for each wrong import."""
        _print(check)


def _link(graph: ImportGraph, importer: str, imported: str) -> tuple[str, str, str]:
    details = graph.get_import_details(importer=importer, imported=imported)
    return importer, imported, ", ".join(str(detail["line_number"]) for detail in details)


def _print(check: ContractCheck) -> None:
    for importer, imported, lines in check.metadata["wrong"]:
        output.print_error(f"{importer} may not import {imported} (line {lines})")


def _names(field: Any) -> set[str]:
    """The names in a field of a contract. The type is `Any`, because import-linter's types describe the declaration of
    the field, not its value."""
    return set(field or ())


def _within(module: str, names: set[str]) -> bool:
    """Whether the module is one of `names` or below it; `*` stands for one part of a name."""
    parts = module.split(".")
    return any(
        len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted)) for wanted in (n.split(".") for n in names)
    )
