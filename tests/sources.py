"""How does a test read Python sources?"""

import ast
import gc


def tree_of(source: str) -> ast.Module:
    """The syntax tree of the source, made while the garbage collector is off. A collection may cause a warning, and
    Python 3.11 parses source lines to print the warning. A parser inside a parser fails with a `SystemError` ("AST
    constructor recursion depth mismatch", CPython issue 106905)."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()
