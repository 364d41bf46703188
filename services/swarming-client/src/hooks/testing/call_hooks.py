"""Calls hooks as the Swarming bot does: the script is compiled and run in memory, all arguments are positional.

Reads {script, set, bot, os_utilities, calls} from standard input; a call is [hook, ...arguments]. `env` instead of a
hook changes the environment. Prints what came of each.
"""

import json
import os
import sys
import time
import types


class Bot(object):
    def __init__(self, given):
        self.id = given['id']
        self.dimensions = given['dimensions']
        self.state = given['state']


def main():
    asked = json.load(sys.stdin)
    if asked.get('os_utilities'):
        given = asked['os_utilities']
        os_utilities = types.ModuleType('api.os_utilities')
        os_utilities.get_dimensions = lambda: given['dimensions']
        os_utilities.get_state = lambda: given['state']
        api = types.ModuleType('api')
        api.os_utilities = os_utilities
        sys.modules['api'] = api
        sys.modules['api.os_utilities'] = os_utilities
    module = types.ModuleType('bot_config')
    with open(asked['script'], encoding='utf-8') as f:
        exec(compile(f.read(), 'bot_config.py', 'exec'), module.__dict__)
    module.__dict__.update(asked.get('set', {}))
    bot = Bot(asked['bot'])
    came_of = []
    for name, *args in asked['calls']:
        if name == 'env':
            os.environ.update(args[0])
            continue
        try:
            came_of.append({'hook': name, 'returned': getattr(module, name)(bot, *args)})
        except Exception as e:
            came_of.append({'hook': name, 'raised': str(e)})
    print(json.dumps({'time': time.time(), 'came_of': came_of, 'modules': sorted(sys.modules)}))


main()
