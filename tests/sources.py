"""How does a test read Python sources?"""

import ast
import gc


def tree_of(source: str) -> ast.Module:
    """The syntax tree, made while the garbage collector is off. An object that it destroys may cause a warning, Python 3.11 parses
    source lines to print that warning, and a parser inside a parser fails with `SystemError: AST constructor recursion depth mismatch`
    (CPython issue 106905)."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()
