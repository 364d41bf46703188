"""A task, as the bot sees it: task_runner does it, in a process group of its own."""
import json
import logging
import os
import subprocess
import sys
import time

from bot_code import folder, settings
from bot_code.remote import Failed, Rejected

_RENEW_SECONDS = 15


def run_task(bot, remote, hooks, credentials, manifest):
    place = os.path.join(settings.BASE_DIR, 'w')
    if not folder.remove(place):
        bot.host_reboot('the work folder cannot be removed')
        return
    os.mkdir(place)
    files = {name: os.path.join(place, 'task_runner_%s.json' % name) for name in ('in', 'out')}
    files['bot'] = os.path.join(place, 'bot.json')
    files['auth'] = os.path.join(place, 'bot_auth_params.json')
    write_json(files['in'], manifest)
    write_json(files['bot'], bot.attributes())
    command = [sys.executable, settings.THIS_FILE, 'task_runner']
    for name, path in sorted(files.items()):
        command += ['--%s-file' % name, path]
    env = dict(os.environ, SWARMING_TASK_ID=manifest['task_id'], SWARMING_SERVER=bot.server)

    def renew():
        _write_auth(files['auth'], remote, credentials)

    hooks.tell('on_before_task', files['bot'], command, env)
    try:
        renew()
        _run(command, env, place, renew)
        result = read_json(files['out'])
        problem = 'task_runner ended without a result' if result is None else None
    except OSError as error:
        logging.exception('task_runner')
        result, problem = None, str(error)
    if result is None:
        result = {'internal_failure': problem}
        _post_error(bot, remote, manifest['task_id'], problem)
    is_failure = result.get('exit_code') not in (0, None)
    is_internal = bool(result.get('internal_failure'))
    hooks.tell('on_after_task', is_failure, is_internal, manifest['dimensions'], result)
    if not folder.remove(place):
        bot.host_reboot('the work folder cannot be removed')


def _run(command, env, place, renew):
    """SIGTERM does not interrupt this: it only sets a flag."""
    log = os.path.join(settings.BASE_DIR, 'logs', 'task_runner_stdout.log')
    with open(log, 'ab') as output:
        runner = subprocess.Popen(
            command,
            env=env,
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=os.setpgrp,
        )
    renewed = time.monotonic()
    while runner.poll() is None:
        time.sleep(0.02)
        if time.monotonic() - renewed > _RENEW_SECONDS:
            renewed = time.monotonic()
            renew()


def _post_error(bot, remote, task, message):
    try:
        body = {'id': bot.id, 'task_id': task, 'message': message, 'client_error': None}
        remote.call('task_error/' + task, body)
    except (Rejected, Failed) as error:
        logging.error('%s', error)


def _write_auth(path, remote, credentials):
    write_json(
        path,
        {
            'bot_id': remote.bot_id,
            'swarming_http_headers': credentials.headers(),
            'swarming_http_headers_exp': credentials.expires,
            'session': remote.session,
        },
    )


def write_json(path, value):
    temporary = path + '.tmp'
    with open(temporary, 'w') as output:
        json.dump(value, output)
    os.replace(temporary, path)


def read_json(path):
    """None: it is not there, or not whole."""
    try:
        with open(path) as source:
            return json.load(source)
    except (OSError, ValueError):
        return None
