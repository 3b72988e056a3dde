"""How does a test read Python sources?"""

import ast
import gc


def tree_of(source: str) -> ast.Module:
    """The syntax tree, made while the garbage collector rests: what it destroys may warn, Python 3.11 parses source lines to print that
    warning, and a parser inside a parser ends in `SystemError: AST constructor recursion depth mismatch` (CPython issue 106905)."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()
