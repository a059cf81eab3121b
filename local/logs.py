"""What the host's processes log: one line an event, with the process that says it."""

import logging
import time

LEVELS = {"azure": logging.WARNING, "urllib3": logging.ERROR, "waitress": logging.ERROR}


def set_up_logging() -> None:
    """Logs to stderr, in UTC."""
    logging.Formatter.converter = time.gmtime
    form = "%(asctime)sZ %(levelname)s %(processName)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
