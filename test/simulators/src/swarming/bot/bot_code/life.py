"""The handshake, then a loop of hooks, poll and what the server says."""
import logging
import os
import signal
import sys
import time

from bot_code import attributes, credentials, folder, hooks, reboot, settings, setup, update, work
from bot_code.remote import Failed, Rejected, Remote


class Life:
    def __init__(self, bot, ending):
        self._bot = bot
        self._ending = ending
        self._hooks = hooks.Hooks(bot)
        self._credentials = credentials.Credentials(self._hooks)
        self._remote = Remote(bot.id, self._credentials.headers)
        self._bot_config = None
        self._sleep_streak = 0
        self._failures = 0
        self._last_action = time.monotonic()
        self._has_kept_zip = False
        self._said_farewell = False
        bot.connect(self._post_event, self._reboot)

    def run(self, extra):
        self._credentials.start(self._ending.asked)
        self._remote.ping()
        self._renew()
        self._hooks.tell('on_bot_startup')
        if self._shake_hands():
            if extra:
                self._bot.post_error('Unexpected arguments: %s' % extra)
            self._hooks.tell('on_handshake')
            folder.clean()
            while not self._ending.asked():
                if not self._loop():
                    return 0
        self._say_farewell('Signal was received')
        return 0

    def _shake_hands(self):
        """For ever. False: it was told to end."""
        pause = settings.seconds('backoff')
        while not self._ending.asked():
            try:
                body = dict(self._bot.attributes(), session_id=self._bot.session_id)
                self._take_handshake(self._remote.call('handshake', body, again=False))
                return True
            except (Rejected, Failed) as error:
                logging.error('%s', error)
                self._ending.sleep(pause)
                pause = min(pause * 2, settings.seconds('mostBackoff'))
        return False

    def _take_handshake(self, answer):
        self._bot_config = {'name': answer['bot_config_name'], 'revision': answer['bot_config_rev']}
        self._bot.fixed_dimensions = answer['bot_group_cfg']['dimensions']
        if not answer.get('bot_config'):
            return
        try:
            self._hooks.inject(answer['bot_config'])
        except Exception as error:
            logging.exception('the injected bot_config.py cannot be run')
            self._bot.post_error('Injected bot_config.py: %s' % error)

    def _renew(self):
        attributes.renew(self._bot, self._hooks, self._sleep_streak, self._bot_config)

    def _loop(self):
        """False: the process ends in order."""
        self._renew()
        self._hooks.tell('on_before_poll')
        try:
            answer = self._remote.call('poll', self._bot.attributes(), again=False)
        except (Rejected, Failed) as error:
            logging.error('%s', error)
            self._failures += 1
            pause = settings.seconds('backoff') * 1.4 ** min(self._failures, 40)
            self._ending.sleep(min(settings.seconds('mostBackoff'), pause))
            return True
        self._failures = 0
        command = answer['cmd']
        self._hooks.tell('on_after_poll', command)
        goes_on = getattr(self, '_do_' + command, self._do_unknown)(answer) is not False
        if goes_on and self._bot.restart_message is not None:
            self._do_bot_restart({'message': self._bot.restart_message})
        return goes_on

    def _do_sleep(self, answer):
        self._hooks.tell('on_bot_idle', max(0, time.monotonic() - self._last_action))
        self._keep_zip()
        self._sleep_streak += 1
        self._ending.sleep(answer['duration'])

    def _do_run(self, answer):
        self._sleep_streak = 0
        work.run_task(self._bot, self._remote, self._hooks, self._credentials, answer['manifest'])
        self._last_action = time.monotonic()
        self._keep_zip()

    def _do_update(self, answer):
        update.to(answer['version'], self._bot, self._remote, self._say_farewell)
        # Still here: it did not work.
        self._ending.sleep(settings.seconds('mostBackoff'))

    def _do_bot_restart(self, answer):
        update.begin_anew(settings.THIS_FILE, answer['message'], self._say_farewell)

    def _do_host_reboot(self, answer):
        self._reboot(answer['message'])

    def _do_terminate(self, answer):
        try:
            body = {'id': self._bot.id, 'task_id': answer['task_id'], 'exit_code': 0, 'duration': 0}
            self._remote.call('task_update/' + answer['task_id'], body)
        except (Rejected, Failed) as error:
            logging.error('%s', error)
        self._say_farewell('Terminated by the server')
        return False

    def _do_simulated_crash(self, answer):
        """No real server can ask for this."""
        how = answer['how']
        if how == 'exception':
            raise RuntimeError('crashed on demand')
        if how == 'killed':
            os.kill(os.getpid(), signal.SIGKILL)
        while how == 'hang':
            time.sleep(1)
        sys.stdout.flush()
        os._exit(how)

    def _do_unknown(self, answer):
        self._bot.post_error('Unexpected command %s' % answer['cmd'])
        self._ending.sleep(settings.seconds('backoff'))

    def _keep_zip(self):
        """After the first good cycle or task, what runs is believed to work."""
        if not self._has_kept_zip:
            self._has_kept_zip = True
            folder.keep_this_version()

    def _say_farewell(self, message):
        self._hooks.tell('on_bot_shutdown')
        self._post_last('bot_shutdown', message)

    def _post_last(self, event, message):
        """Sent once in the life of a process."""
        if not self._said_farewell:
            self._said_farewell = True
            self._post_event(event, message)

    def _post_event(self, event, message):
        if self._remote.session is None:
            logging.error('%s before the handshake: %s', event, message)
            return
        try:
            self._remote.call('event', dict(self._bot.attributes(), event=event, message=message))
        except (Rejected, Failed) as error:
            logging.error('%s', error)

    def _reboot(self, message):
        """Returns when it did not work; it takes no tasks then."""
        self._post_last('bot_rebooting', message)
        setup.set_up(self._bot)
        self._hooks.tell('on_bot_shutdown')
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        until = time.monotonic() + settings.seconds('rebootGivesUp')
        while time.monotonic() < until:
            reboot.ask_host()
            time.sleep(settings.seconds('reboot'))
        self._bot.broken = 'Bot is stuck restarting for: %s' % message
        self._bot.post_error(self._bot.broken)
