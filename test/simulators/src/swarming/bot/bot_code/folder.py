"""The bot's folder is its own: whatever it does not know there is deleted."""
import logging
import os
import re
import shutil
import time

from bot_code import settings

_KEPT = re.compile(
    r'^(swarming_bot(\.[12])?\.zip|swarming\.lck|logs|tmp|c|cas_cache|cas_kvs_cache_db|cipd_cache'
    r'|README(\.md)?|.*-cacert\.pem|\.vpython3)$'
)


def clean():
    for name in os.listdir(settings.BASE_DIR):
        if not _KEPT.match(name):
            logging.warning('deleting %s, which is not known', name)
            remove(os.path.join(settings.BASE_DIR, name))


def remove(path):
    """False: it is still there."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
        return True
    except OSError as error:
        logging.error('%s cannot be deleted: %s', path, error)
        return False


def keep_this_version():
    """swarming_bot.zip becomes a copy of what runs, where it is older. Not atomic, as the real one's is not."""
    golden = os.path.join(settings.BASE_DIR, 'swarming_bot.zip')
    if os.path.isfile(golden) and os.stat(golden).st_mtime >= os.stat(settings.THIS_FILE).st_mtime:
        return
    with open(settings.THIS_FILE, 'rb') as source:
        content = source.read()
    with open(golden, 'wb') as target:
        half = len(content) // 2
        target.write(content[:half])
        target.flush()
        time.sleep(settings.seconds('rewrite'))
        target.write(content[half:])
