"""What a bot knows of its host without asking anybody, in small."""
import os
import platform
import socket
import sys
import time

from bot_code import settings

_STARTED = time.time()

_ECHOED = (
    'SWARMING_NEVER_REBOOT',
    'SWARMING_ALLOW_ANY_USER',
    'ISOLATED_CACHE_SIZE',
    'LUCI_MACHINE_TOKEN',
    'PATH',
)


def get_bot_id():
    given = os.environ.get('SWARMING_BOT_ID')
    return given or socket.gethostname().lower().split('.', 1)[0]


def get_dimensions():
    dimensions = {
        'cores': [str(os.cpu_count() or 1)],
        'cpu': [platform.machine() or 'unknown'],
        'id': [get_bot_id()],
        'os': [platform.system()],
        'python': [platform.python_version()],
    }
    if os.path.isfile('/.dockerenv') or os.path.isfile('/.docker_env'):
        dimensions['inside_docker'] = ['1', 'stock']
    return dimensions


def get_state():
    state = {
        'cwd': os.getcwd(),
        'disks': settings.config()['simulation']['disks'],
        'env': {name: os.environ[name] for name in _ECHOED if name in os.environ},
        'hostname': socket.gethostname(),
        'pid': os.getpid(),
        'python': {'executable': sys.executable, 'version': platform.python_version()},
        'running_time': int(time.time() - _STARTED),
        'started_ts': int(_STARTED),
        'user': os.environ.get('USER'),
    }
    if os.environ.get('DOCKER_HOST_HOSTNAME'):
        state['docker_host_hostname'] = os.environ['DOCKER_HOST_HOSTNAME']
    return state
