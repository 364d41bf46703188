#!/usr/bin/env python3
"""Stands between the agent and the Swarming bot, so that nothing that the bot starts can outlive it.

    bot_init.py BOT_DIR PYTHON AGENT_PID

All that the bot starts are its descendants, also what called setsid and cleared its environment: an orphan comes back
to it (PR_SET_CHILD_SUBREAPER). It is two processes, guard and keeper, so that what is left after a `kill -9` of either
of them still has a parent that ends it. It holds a lock on the folder of the bot as long as anything in it may run.

The agent writes commands to its standard input, one a line; its end is the end of the agent:
    start      starts the bot
    stop       SIGTERM to the bot: it ends after its task
    stop-task  SIGTERM to the bot and to its task_runner, which ends the task in order
    end-left   SIGKILL to what a finished task left; nothing where the next task has begun
    kill       SIGKILL to all of it
Events go to descriptor 3, one JSON object a line: locked, busy, started, exited, reboot, stuck, rejected, left.
The two outputs of the bot are those of this process. Python 3.6 and newer, standard library only.
"""
import ctypes
import errno
import fcntl
import json
import os
import re
import select
import signal
import sys
import time

EVENTS = 3
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# An earlier bot_init, whose agent has died, takes up to AGENT_LOST_SECONDS and LEFT_SECONDS.
LOCK_SECONDS = 15
# For the bot and its task to report to the server after the agent has died.
AGENT_LOST_SECONDS = 3
# Time for processes that the bot left behind.
LEFT_SECONDS = 2
# Nothing but the kernel delays a SIGKILL.
STUCK_SECONDS = 20

EXIT_BUSY = 75
EXIT_REJECTED = 76

TASK_RUNNER = re.compile(rb'(^|/)swarming_bot(\.[12])?\.zip$')


def prctl(option, value):
    """False where the kernel does not know the option."""
    return ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0


def emit(event, **facts):
    line = json.dumps(dict(facts, event=event)) + '\n'
    try:
        os.write(EVENTS, line.encode())
    except OSError:
        pass  # the agent has died


def send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass  # it has ended meanwhile


def parents():
    """pid -> pid of its parent, of all processes. proc(5)"""
    found = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open('/proc/%s/stat' % name, 'rb') as stat:
                # The program's name may contain blanks and parentheses.
                fields = stat.read().rpartition(b')')[2].split()
        except OSError:
            continue
        if len(fields) > 1:
            found[int(name)] = int(fields[1])
    return found


def descendants():
    children = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found = []
    todo = [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def arguments_of(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as cmdline:
            return cmdline.read().split(b'\0')
    except OSError:
        return []


def is_task_runner(pid):
    arguments = arguments_of(pid)
    return any(
        TASK_RUNNER.search(zip_file) and command == b'task_runner'
        for zip_file, command in zip(arguments, arguments[1:])
    )


def is_adb_server(pid):
    """All tasks and the agent share one, whoever started it."""
    program, *arguments = arguments_of(pid) or [b'']
    return os.path.basename(program) == b'adb' and b'server' in arguments


def is_of_task(pid):
    """The bot sets the variable for a task only."""
    try:
        with open('/proc/%d/environ' % pid, 'rb') as environ:
            return any(each.startswith(b'SWARMING_TASK_ID=') for each in environ.read().split(b'\0'))
    except OSError:
        return False


def left_by_task(bot):
    """What escaped from a task came back to this process, or has the variable of a task. The bot's own children stay."""
    above = parents()
    below = descendants()
    if any(is_task_runner(pid) for pid in below):
        return []
    found = set()
    # Parents come before their children.
    for pid in below:
        parent = above.get(pid)
        if pid == bot or is_adb_server(pid):
            continue
        if parent in found or parent == os.getpid() or is_of_task(pid):
            found.add(pid)
    return sorted(found)


def reap(ended):
    """Calls ended(pid, status) for each child that has. False: there is no child any more, thus no descendant."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except OSError as error:
            if error.errno == errno.ECHILD:
                return False
            raise
        if pid == 0:
            return True
        ended(pid, status)


def kill_all(ended=lambda pid, status: None):
    """Returns when there is no descendant any more, or when some do not even die of SIGKILL."""
    until = time.monotonic() + STUCK_SECONDS
    pause = 0.01
    while True:
        for pid in descendants():
            send(pid, signal.SIGKILL)
        if not reap(ended):
            return
        if time.monotonic() > until:
            emit('stuck', pids=descendants())
            return
        time.sleep(pause)
        pause = min(0.2, pause * 1.5)


def lock_folder(folder):
    """Of the folder itself: a file in it the bot would delete, a file beside it another container would not see."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return 'the bot directory is not locked: %s' % error.strerror
        if time.monotonic() > until or is_to_end():
            emit('busy')
            sys.exit(EXIT_BUSY)
        time.sleep(0.1)


def is_to_end():
    """The agent has died, or sent something: before the lock is taken it sends only `kill`."""
    return bool(select.select([0], [], [], 0)[0])


def is_bot_there(folder):
    """A bot that finds another one in its folder asks for a reboot of the host: it must not come to that."""
    try:
        descriptor = os.open(os.path.join(folder, 'swarming.lck'), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)


def default_signals():
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1,
                   signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def start_bot(folder, python):
    keeper = os.getpid()
    # A SIGTERM for the bot is deferred until the process is no longer ours.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    pid = os.fork()
    if pid != 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        return pid
    try:
        signal.set_wakeup_fd(-1)
        default_signals()
        # Its own session: what the bot sends to its group is for the bot.
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        zip_file = os.path.join(folder, 'swarming_bot.zip')
        os.execvp(python, [python, zip_file, 'start_bot'])
    except BaseException as error:  # whatever it is: this is the bot's process
        os.write(2, ('%s: %s\n' % (python, error)).encode())
    os._exit(127)


class Keeper:
    """The parent of the bot."""

    def __init__(self, folder, python, guard):
        self.guard = guard
        self.folder = folder
        self.python = python
        self.bot = None
        self.exit_status = 0
        self.is_agent_lost = False
        # When all leftovers are killed.
        self.deadline = None
        self.is_over = False
        self.signals = set()
        self.commands = b''

    def run(self):
        wake, self.waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.waker, False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, lambda number, frame: self.signals.add(number))
        signal.set_wakeup_fd(self.waker)
        while not self.is_over:
            sources = [wake] if self.is_agent_lost else [wake, 0]
            left = None if self.deadline is None else max(0, self.deadline - time.monotonic())
            ready = select.select(sources, [], [], left)[0]
            if wake in ready:
                os.read(wake, 4096)
            self.handle_signals()
            if 0 in ready:
                self.handle_commands()
            self.check_children()
        return self.exit_status

    def handle_signals(self):
        signals, self.signals = self.signals, set()
        if signal.SIGTERM in signals or signal.SIGINT in signals:
            self.stop()
        if signal.SIGUSR1 in signals:
            emit('reboot')
        if signal.SIGHUP in signals and os.getppid() != self.guard:
            self.lose_agent()

    def handle_commands(self):
        try:
            piece = os.read(0, 4096)
        except OSError:
            piece = b''
        if piece == b'':
            self.lose_agent()
            return
        *lines, self.commands = (self.commands + piece).split(b'\n')
        for line in lines:
            if line == b'start' and self.bot is None:
                self.start()
            elif line == b'stop':
                self.stop()
            elif line == b'stop-task':
                self.stop_task()
            elif line == b'end-left':
                self.end_left()
            elif line == b'kill':
                self.deadline = 0

    def start(self):
        if is_bot_there(self.folder):
            emit('rejected')
            self.exit_status = EXIT_REJECTED
            self.is_over = True
            return
        self.bot = start_bot(self.folder, self.python)
        emit('started', pid=self.bot)

    def stop(self):
        if self.bot is None:
            self.is_over = True
        elif self.bot > 0:
            send(self.bot, signal.SIGTERM)

    def stop_task(self):
        self.stop()
        below = descendants()
        runners = [pid for pid in below if is_task_runner(pid)]
        # If task_runner exists, it ends the task, and reports why to the server.
        for pid in runners or below:
            send(pid, signal.SIGTERM)

    def end_left(self):
        seen = set()
        until = time.monotonic() + LEFT_SECONDS
        while self.bot is not None and self.bot > 0 and time.monotonic() < until:
            left = left_by_task(self.bot)
            if not left:
                break
            seen.update(left)
            for pid in left:
                send(pid, signal.SIGKILL)
            reap(self.ended)
            time.sleep(0.01)
        if seen:
            emit('left', count=len(seen))

    def lose_agent(self):
        self.is_agent_lost = True
        self.stop_task()
        self.end_within(AGENT_LOST_SECONDS)

    def end_within(self, seconds):
        deadline = time.monotonic() + seconds
        self.deadline = deadline if self.deadline is None else min(deadline, self.deadline)

    def check_children(self):
        has_children = reap(self.ended)
        if self.bot is None:
            self.is_over = self.is_over or self.deadline is not None
        elif not has_children:
            self.is_over = True
        elif self.deadline is not None and time.monotonic() >= self.deadline:
            kill_all(self.ended)
            self.is_over = True

    def ended(self, pid, status):
        if pid != self.bot:
            return
        # The pid may be another process's by now.
        self.bot = -1
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            self.exit_status = 128 + number
            emit('exited', signal=number)
        else:
            self.exit_status = os.WEXITSTATUS(status)
            emit('exited', status=self.exit_status)
        for left in descendants():
            send(left, signal.SIGTERM)
        self.end_within(LEFT_SECONDS)


def keep(folder, python, guard):
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper = Keeper(folder, python, guard)
    prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    if os.getppid() != guard:
        return 1
    return keeper.run()


def main():
    # The agent is named so that others see who this belongs to.
    folder, python, _agent = sys.argv[1:]
    os.set_inheritable(EVENTS, False)
    try:
        warning = lock_folder(folder)
    except OSError as error:
        print('%s: %s' % (folder, error.strerror), file=sys.stderr)
        return 1
    if not prctl(PR_SET_CHILD_SUBREAPER, 1):
        warning = 'the kernel does not support PR_SET_CHILD_SUBREAPER'
    guard = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            emit('locked', **({'warning': warning} if warning else {}))
            status = keep(folder, python, guard)
        except Exception as error:
            print('bot_init.py: %r' % error, file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda number, frame: send(pid, number))
    # The agent is the keeper's concern; without a reader here, the end of it stays one.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            break
    kill_all()
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


if __name__ == '__main__':
    sys.exit(main())
