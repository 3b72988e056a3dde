"""How does a reader handle a header whose name is not UTF-8? kafka-python itself reports the whole batch as corrupt and reads no
further.

Header names are bytes in Kafka's protocol, and a broker accepts any bytes. A module that reads with kafka-python
imports this one, which replaces kafka-python's parser. The new parser replaces wrong bytes by escapes, so the message
can be handled like any other message.
"""

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

from services.shell.any_text import any_names

memory_records.DefaultRecordBatch = any_names(DefaultRecordBatch)
