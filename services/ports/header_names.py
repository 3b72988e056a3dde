"""Why can a header whose name is no UTF-8 end no reader? kafka-python calls its whole batch corrupt: nobody gets past it, ever.

Header names are bytes on the wire, and a broker takes any. Whoever reads with kafka-python imports this module; the odd
names then are shown with escapes, so that the message is judged like any other of unknown kind.
"""

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(DefaultRecordBatch)
