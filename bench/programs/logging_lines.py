"""The logging module: several loggers, levels that are off, formatting with the time, an exception now and then."""

from __future__ import annotations

import io
import logging
import time

from _program import Checksum, Scale, run


def steady_record_factory() -> None:
    """Give each record a time that depends on its number only, so that the text is the same in every run."""
    make = logging.LogRecord
    count = 0

    def factory(*arguments: object, **named: object) -> logging.LogRecord:
        nonlocal count
        count += 1
        record = make(*arguments, **named)  # type: ignore[arg-type]
        record.created = 1_700_000_000 + count / 1000
        record.msecs = count % 1000
        return record

    logging.setLogRecordFactory(factory)


def main(scale: Scale, checksum: Checksum) -> None:
    steady_record_factory()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = logging.Formatter("%(asctime)s %(levelname)-8s %(name)s %(module)s:%(funcName)s %(message)s")
    # Not the local zone, which would differ from machine to machine.
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    loggers = [logging.getLogger(f"shop.{part}.{number}") for part in ("orders", "stock") for number in range(20)]
    logging.getLogger("shop.stock").setLevel(logging.ERROR)
    for number in range(scale(150000)):
        logger = loggers[number % len(loggers)]
        logger.debug("never shown: %s", number)
        logger.info("order %d of %s comes to %.2f", number, "customer", number / 7)
        if number % 50 == 0:
            try:
                raise ValueError(number)
            except ValueError as problem:
                logger.error("order %d failed: %r", number, problem, extra={"order": number})
        if number % 5000 == 0:
            checksum.add_bytes(stream.getvalue().encode())
            stream.seek(0)
            stream.truncate()
    checksum.add_bytes(stream.getvalue().encode())


run(main)
