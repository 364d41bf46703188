"""From the start of the process to its end."""
import logging
import os
import signal
import sys
import time
import traceback

from bot_code import bot_object, logs, reboot, settings, singleton
from bot_code.life import Life


class Ending:
    """SIGTERM and SIGINT set a flag, which is looked at between tasks."""

    def __init__(self):
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number, _frame):
        self._asked = True

    def asked(self):
        return self._asked

    def sleep(self, seconds):
        """No longer than until it is asked."""
        until = time.monotonic() + seconds
        while not self._asked and time.monotonic() < until:
            time.sleep(min(0.02, max(0, until - time.monotonic())))


def run(extra):
    os.chdir(settings.BASE_DIR)
    logs.start('swarming_bot.log')
    for name in ('SWARMING_SERVER', 'SWARMING_TASK_ID'):
        os.environ.pop(name, None)
    os.environ['SWARMING_HEADLESS'] = '1'
    lock = singleton.take(settings.BASE_DIR)
    while lock is None:
        logging.error('another bot runs in %s', settings.BASE_DIR)
        time.sleep(settings.seconds('lock'))
        reboot.ask_host()
    ending = Ending()
    signal.signal(signal.SIGUSR1, _dump)
    bot = bot_object.Bot()
    os.environ['SWARMING_BOT_ID'] = bot.id
    return Life(bot, ending).run(extra)


def _dump(_number, frame):
    logging.error('stack:\n%s', ''.join(traceback.format_stack(frame)))
    sys.exit(1)
