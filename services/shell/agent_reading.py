"""How does a worker read a header whose name is not UTF-8? Faust's client, aiokafka, raises an error for it, Faust then ends the process,
and the next process reads the same message.

Header names are bytes on the wire, and a broker accepts any. Importing this module makes aiokafka's consumers parse messages with its
Python classes, which can be patched, instead of its compiled ones: agents read parked messages only, which are few.
"""

from aiokafka.consumer import fetcher
from aiokafka.record import memory_records
from aiokafka.record.default_records import _DefaultRecordBatchPy

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(_DefaultRecordBatchPy)
fetcher.MemoryRecords = memory_records._MemoryRecordsPy
