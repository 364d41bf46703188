"""Drives a device with netmiko, as a test tells it: JSON on stdin and stdout, a line for each call and each answer.

A call is [name, [arguments], {keyword arguments}]. Its name is `connect`, that of a method of netmiko's connection, or

- `exec`, which runs a command in a channel of its own, over the ssh connection that netmiko has opened
- `redispatch`, netmiko's function for a connection that turns out to lead to another type of device

netmiko decides by time whether a device has said everything. Its clock only runs while the device does: each sleep ends with a `beat`, which
the process of the device answers when it has done what it had to, and when ssh has read all that came. So neither process fails because it
had to wait for a processor.
"""

import inspect
import json
import select
import sys
import threading
import time

from netmiko import BaseConnection, ConnectHandler, redispatch
from paramiko import Transport


class Clock:
    """The module `time` for netmiko."""

    def __init__(self):
        self.now = time.time()

    def time(self):
        return self.now

    def sleep(self, seconds):
        time.sleep(seconds)
        quiet_beats = 0
        while quiet_beats < 2:
            answer({"beat": True})
            sys.stdin.readline()
            ssh = [thread for thread in threading.enumerate() if isinstance(thread, Transport)]
            sockets = [thread.sock for thread in ssh if thread.sock.fileno() >= 0]
            quiet_beats = 0 if select.select(sockets, [], [], 0)[0] else quiet_beats + 1
            time.sleep(0.001)
        self.now += seconds

    def __getattr__(self, name):
        return getattr(time, name)


def answer(value):
    print(json.dumps(value), flush=True)


def exec_(connection, command):
    _, stdout, stderr = connection.remote_conn_pre.exec_command(command)
    output = stdout.read().decode() + stderr.read().decode()
    return {"status": stdout.channel.recv_exit_status(), "output": output}


# In seconds: the limits of its ssh client, which has the clock of the computer. Their number depends on the version.
limits = {
    name: 900
    for name in inspect.signature(BaseConnection.__init__).parameters
    if name in ("conn_timeout", "auth_timeout", "banner_timeout", "blocking_timeout", "session_timeout")
}
own = {"exec": exec_, "redispatch": redispatch}


def main():
    clock = Clock()
    for name, module in list(sys.modules.items()):
        if name.startswith("netmiko") and getattr(module, "time", None) is time:
            module.time = clock
    connection = None
    for line in iter(sys.stdin.readline, ""):
        name, args, named = json.loads(line)
        try:
            if name == "connect":
                connection = ConnectHandler(*args, **limits, **named)
                value = connection.base_prompt
            elif name in own:
                value = own[name](connection, *args, **named)
            else:
                value = getattr(connection, name)(*args, **named)
            answer({"value": value})
        except Exception as error:  # Whatever it is, the test is told.
            answer({"error": type(error).__name__ + ": " + str(error)})


main()
