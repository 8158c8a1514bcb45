"""The figure `ReaderRecord`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.reader_record.reader_record import ReaderRecord

__all__ = ["ReaderRecord"]
