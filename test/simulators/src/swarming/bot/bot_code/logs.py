"""Log files in the folder `logs`; standard error carries errors only."""
import logging
import logging.handlers
import os
import sys

from bot_code import settings


def start(name):
    folder = os.path.join(settings.BASE_DIR, 'logs')
    os.makedirs(folder, exist_ok=True)
    form = logging.Formatter('%(process)d %(asctime)s %(levelname)s: %(message)s')
    to_file = logging.handlers.RotatingFileHandler(
        os.path.join(folder, name), maxBytes=10 * 1024 * 1024, backupCount=5
    )
    to_people = logging.StreamHandler(sys.stderr)
    to_people.setLevel(logging.ERROR)
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    for handler in (to_file, to_people):
        handler.setFormatter(form)
        root.addHandler(handler)
