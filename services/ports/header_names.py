"""How does a reader handle a header whose name is not UTF-8? kafka-python itself reports the whole batch as corrupt and reads no
further.

Header names are bytes on the wire, and a broker accepts any. A module that reads with kafka-python imports this one, which replaces
kafka-python's parser: such names are decoded with escapes, and the message is then handled like any other of unknown kind.
"""

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(DefaultRecordBatch)
