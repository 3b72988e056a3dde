"""How does a worker go on if a message has a header whose name is not UTF-8? It uses a patched client. Without the patch, aiokafka, which
Faust uses, would raise an error, Faust would end the process, and the next process would read the same message again.

Header names are bytes in Kafka's protocol, and a broker accepts any bytes. Importing this module makes aiokafka's consumers parse
messages with its Python classes, which can be patched, instead of its compiled ones. This is fast enough, because Faust's agents read
only the parked topics, which have few messages.
"""

from aiokafka.consumer import fetcher
from aiokafka.record import memory_records
from aiokafka.record.default_records import _DefaultRecordBatchPy

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(_DefaultRecordBatchPy)
fetcher.MemoryRecords = memory_records._MemoryRecordsPy
