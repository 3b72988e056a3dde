"""How many bytes does a text in the database have?"""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class ByteLength(GenericFunction[int]):
    """The SQL function that returns the number of bytes of a text in UTF-8. The function `length` of both databases counts characters, and
    a Chinese character has three bytes."""

    type = Integer()
    name = "octet_length"
    inherit_cache = True


@compiles(ByteLength, "sqlite")
def _in_sqlite(function: ByteLength, compiler: Any, **options: Any) -> str:
    """Returns the SQL for SQLite, which has `octet_length` only from version 3.43 on."""
    return f"length(CAST({compiler.process(function.clauses, **options)} AS BLOB))"
