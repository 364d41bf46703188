"""One bot in a folder."""
import fcntl
import os


def take(folder):
    """The lock, to be kept open, or None where another bot has it. It is not inherited over an exec."""
    handle = open(os.path.join(folder, 'swarming.lck'), 'a+')
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
