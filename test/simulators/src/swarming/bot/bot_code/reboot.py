"""Asks for a reboot of the host."""
import logging
import shutil
import subprocess

_COMMANDS = (
    ['sudo', '-n', '/sbin/shutdown', '-r', 'now'],
    ['sudo', '-n', '/sbin/reboot', '-f'],
)


def ask_host():
    """Both, whatever the first says. `sudo` is looked up on PATH, and is a child of this process."""
    for command in _COMMANDS:
        if _is_the_real_one(shutil.which('sudo')):
            # A simulation never reboots the host that it runs on.
            logging.error('sudo is the real one, and is not run: %s', ' '.join(command))
            continue
        try:
            status = subprocess.call(command)
            logging.error('%s: status %d', ' '.join(command), status)
        except OSError as error:
            logging.error('%s: %s', ' '.join(command), error)


def _is_the_real_one(path):
    if path is None:
        return False
    try:
        with open(path, 'rb') as program:
            return program.read(4) == b'\x7fELF'
    except OSError:
        return True
