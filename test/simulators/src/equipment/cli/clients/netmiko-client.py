"""Drives a device with netmiko, as a test tells it: JSON on stdin and stdout, a line for each call and each answer.

A call is [name, [arguments], {keyword arguments}]. Its name is `connect`, that of a method of netmiko's connection, or

- `exec`, which runs a command in a channel of its own, over the ssh connection that netmiko has opened
- `redispatch`, netmiko's function for a connection that turns out to lead to another type of device
"""

import json
import sys

from netmiko import ConnectHandler, redispatch


def exec_(connection, command):
    _, stdout, stderr = connection.remote_conn_pre.exec_command(command, timeout=20)
    output = stdout.read().decode() + stderr.read().decode()
    return {"status": stdout.channel.recv_exit_status(), "output": output}


own = {"exec": exec_, "redispatch": redispatch}


def main():
    connection = None
    for line in sys.stdin:
        name, args, named = json.loads(line)
        try:
            if name == "connect":
                connection = ConnectHandler(*args, **named)
                value = connection.base_prompt
            elif name in own:
                value = own[name](connection, *args, **named)
            else:
                value = getattr(connection, name)(*args, **named)
            answer = {"value": value}
        except Exception as error:  # Whatever it is, the test is told.
            answer = {"error": type(error).__name__ + ": " + str(error)}
        print(json.dumps(answer), flush=True)


main()
