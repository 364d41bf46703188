"""Another version of itself, in the same process."""
import logging
import os
import subprocess
import sys
import time

from bot_code import commands, settings
from bot_code import remote as remotes


def to(version, bot, remote, say_farewell):
    """Returns only when it did not work."""
    name = 'swarming_bot.2.zip' if settings.THIS_FILE.endswith('.1.zip') else 'swarming_bot.1.zip'
    path = os.path.join(settings.BASE_DIR, name)
    try:
        remote.download(version, path)
        subprocess.check_output([sys.executable, path, 'is_fine'], stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError, remotes.Failed) as error:
        logging.error('update to %s: %s', version, error)
        bot.broken = 'Unable to update to %s: %s' % (version, error)
        bot.post_error(bot.broken)
        return
    begin_anew(path, 'Updating to %s' % version, say_farewell)


def begin_anew(path, message, say_farewell):
    """The lock is dropped by the exec."""
    say_farewell(message)
    time.sleep(settings.seconds('farewell'))
    commands.become([path, 'start_slave', '--survive'])
