"""Why can a header whose name is no UTF-8 not end a worker? Faust's client, aiokafka, raises for it in its reading, Faust ends the
process, and the next one reads the same message.

Header names are bytes on the wire, and a broker takes any. Importing this module makes aiokafka's consumers parse messages with its Python
classes, which can be patched, instead of its compiled ones: agents read parked messages only, which are few.
"""

from aiokafka.consumer import fetcher
from aiokafka.record import memory_records
from aiokafka.record.default_records import _DefaultRecordBatchPy

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(_DefaultRecordBatchPy)
fetcher.MemoryRecords = memory_records._MemoryRecordsPy
