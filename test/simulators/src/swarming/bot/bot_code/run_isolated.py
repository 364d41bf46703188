"""Runs the command of a task, in a process group of its own. SIGTERM goes on to it, and SIGKILL after its grace."""
import os
import signal
import subprocess
import sys
import time


def main(argv):
    if argv == ['--clean']:
        return 0
    grace = float(argv[argv.index('--grace') + 1])
    command = argv[argv.index('--') + 1 :]
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: asked.append(number))
    try:
        child = subprocess.Popen(command, preexec_fn=os.setpgrp)
    except OSError as error:
        sys.stdout.write('%s: %s\n' % (command[0], error))
        return 1
    kill_at = None
    while child.poll() is None:
        time.sleep(0.02)
        if asked and kill_at is None:
            _send(child, signal.SIGTERM)
            kill_at = time.monotonic() + grace
        if kill_at is not None and time.monotonic() > kill_at:
            _send(child, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _send(child, number):
    """To its group; what has a group of its own is not reached."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass
