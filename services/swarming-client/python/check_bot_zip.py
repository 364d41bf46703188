#!/usr/bin/env python3
"""Is this file a Swarming bot that Python can run, and of the expected server?

    check_bot_zip.py FILE SERVER

Writes one JSON object: {"isSound": true}, or {"isSound": false, "why": "…"}. The exit status is 0 for both: another one
means that it could not look. The bot has no checksum to compare with: its version is a hash of the members of the zip, and
the server tells it only to a bot. Python 3.6 and newer, standard library only.
"""
import json
import sys
import zipfile
import zipimport

# The real one has 1.3 MB.
MOST_BYTES = 256 * 1024 * 1024
MOST_MEMBERS = 20000


class Unsound(Exception):
    pass


def read_whole(archive, member):
    """Reading to the end checks the CRC."""
    with archive.open(member) as content:
        while content.read(1024 * 1024):
            pass


def configured_server(archive):
    text = archive.read('config/config.json').decode('utf-8')
    config = json.loads(text)
    server = config.get('server') if isinstance(config, dict) else None
    if not isinstance(server, str):
        raise Unsound('config/config.json does not specify a server')
    return server


def check(path, expected):
    with open(path, 'rb') as start:
        head = start.read(512)
    if head == b'':
        raise Unsound('it is empty')
    if head.lstrip()[:1] == b'<':
        raise Unsound('it is an HTML page, not a zip file')
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
            raise Unsound('it is too large')
        names = {member.filename for member in members}
        for name in ('__main__.py', 'config/config.json'):
            if name not in names:
                raise Unsound('%s is missing' % name)
        for member in members:
            # zipfile reads other methods, too, but Python's import does not.
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Unsound('Python cannot import %.200s from it, because it is compressed with method %d'
                              % (member.filename, member.compress_type))
            read_whole(archive, member)
        server = configured_server(archive)
    if server.rstrip('/') != expected.rstrip('/'):
        raise Unsound('it belongs to the server %.200s, not to %s' % (server, expected))
    # zipfile tolerates what Python's import does not.
    zipimport.zipimporter(path)


def answer(path, expected):
    try:
        check(path, expected)
    except Unsound as error:
        return {'isSound': False, 'why': str(error)}
    except MemoryError:
        raise
    except OSError as error:
        return {'isSound': False, 'why': 'it cannot be read: %.200s' % error}
    except Exception as error:
        # Whatever a damaged zip raises: a list of what zipfile and decompressors raise is never complete.
        return {'isSound': False, 'why': 'it is damaged: %.200s' % (str(error) or type(error).__name__)}
    return {'isSound': True}


if __name__ == '__main__':
    print(json.dumps(answer(sys.argv[1], sys.argv[2])))
