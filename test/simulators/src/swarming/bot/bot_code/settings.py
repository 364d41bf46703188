"""Where the bot is, and the configuration in its zip."""
import hashlib
import json
import os
import pkgutil
import sys
import zipfile

# Before anything changes the working directory.
THIS_FILE = os.path.abspath(sys.argv[0])
BASE_DIR = os.path.dirname(THIS_FILE)

_cached = {}


def config():
    """config/config.json of the running zip."""
    if 'config' not in _cached:
        _cached['config'] = json.loads(pkgutil.get_data('config', 'config.json').decode())
    return _cached['config']


def seconds(name):
    """How long something takes here; a real bot takes longer."""
    return config()['simulation']['times'][name]


def spoilt():
    return config()['simulation'].get('spoilt')


def version(path=THIS_FILE):
    """SHA-256 over the uncompressed members, not over the file."""
    result = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist(), key=lambda text: text.encode()):
            content = archive.read(name)
            result.update(('%d%s%d' % (len(name.encode()), name, len(content))).encode())
            result.update(content)
    return result.hexdigest()
