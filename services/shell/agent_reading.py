"""How does a worker survive a header whose name is not UTF-8? With a patched client: aiokafka, which Faust uses, would raise an error,
Faust would end the process, and the next process would read the same message again.

Header names are bytes on the wire, and a broker accepts any. Importing this module makes aiokafka's consumers parse messages with its
Python classes, which can be patched, instead of its compiled ones: agents read parked messages only, which are few.
"""

from aiokafka.consumer import fetcher
from aiokafka.record import memory_records
from aiokafka.record.default_records import _DefaultRecordBatchPy

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(_DefaultRecordBatchPy)
fetcher.MemoryRecords = memory_records._MemoryRecordsPy
