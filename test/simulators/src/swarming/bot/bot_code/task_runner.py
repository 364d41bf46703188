"""Runs one task for the bot, and tells the server of it. A bot that dies leaves it behind."""
import argparse
import base64
import logging
import os
import select
import signal
import subprocess
import sys
import time

from bot_code import logs, settings, work
from bot_code.remote import Failed, Rejected, Remote


class Runner:
    def __init__(self, args):
        self._args = args
        self._manifest = work.read_json(args.in_file)
        auth = work.read_json(args.auth_file)
        self._remote = Remote(auth['bot_id'], self._headers, auth['session'])
        self._signal = None
        self._sent = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number, _frame):
        self._signal = number

    def _headers(self):
        return (work.read_json(self._args.auth_file) or {}).get('swarming_http_headers', {})

    def run(self):
        try:
            result = self._run()
        except Exception as error:
            logging.exception('task_runner')
            result = {'internal_failure': str(error)}
        if result.get('internal_failure'):
            self._call('task_error', {'message': result['internal_failure'], 'client_error': None})
        work.write_json(self._args.out_file, result)
        return 0

    def _run(self):
        started = time.monotonic()
        self._update({})
        child = self._start()
        timed_out, rest = self._follow(child, started)
        end = {
            'exit_code': child.returncode,
            'duration': time.monotonic() - started,
            'hard_timeout': timed_out,
        }
        if self._signal:
            self._update({}, rest)
            return dict(end, internal_failure='received signal %d' % self._signal)
        self._update(end, rest)
        return end

    def _follow(self, child, started):
        """To its end. Returns whether it took too long, and what is not sent yet."""
        output = child.stdout.fileno()
        os.set_blocking(output, False)
        pending = b''
        must_stop = timed_out = False
        kill_at = None
        next_update = time.monotonic() + settings.seconds('taskUpdate')
        while child.poll() is None:
            _wait_for(output)
            pending += _read(output)
            now = time.monotonic()
            if now >= next_update:
                next_update = now + settings.seconds('taskUpdate')
                must_stop = self._update({}, pending).get('must_stop', False)
                pending = b''
            timed_out = timed_out or now - started > self._manifest['hard_timeout']
            if (must_stop or timed_out or self._signal) and kill_at is None:
                child.terminate()
                kill_at = now + 2 * self._manifest['grace_period']
            if kill_at is not None and now > kill_at:
                child.kill()
        pending += _read(output)
        child.stdout.close()
        return timed_out, pending

    def _start(self):
        grace = str(self._manifest['grace_period'])
        return subprocess.Popen(
            [sys.executable, settings.THIS_FILE, 'run_isolated', '--grace', grace, '--']
            + self._manifest['command'],
            env=dict(os.environ, **self._manifest['env']),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=os.setpgrp,
        )

    def _update(self, facts, output=b''):
        body = dict(facts, cost_usd=0)
        if output:
            body['output'] = base64.b64encode(output).decode()
            body['output_chunk_start'] = self._sent
            self._sent += len(output)
        return self._call('task_update', body)

    def _call(self, name, body):
        task = self._manifest['task_id']
        sent = dict(body, id=self._remote.bot_id, task_id=task)
        try:
            return self._remote.call('%s/%s' % (name, task), sent)
        except (Rejected, Failed) as error:
            logging.error('%s', error)
            return {}


def _wait_for(output):
    """A little, or until it says something; one that has closed it makes nobody busy."""
    if select.select([output], [], [], 0.02)[0]:
        time.sleep(0.005)


def _read(output):
    found = b''
    while True:
        try:
            data = os.read(output, 65536)
        except BlockingIOError:
            return found
        if not data:
            return found
        found += data


def main(argv):
    logs.start('task_runner.log')
    parser = argparse.ArgumentParser()
    for name in ('in', 'out', 'bot', 'auth'):
        parser.add_argument('--%s-file' % name, required=True)
    return Runner(parser.parse_args(argv)).run()
