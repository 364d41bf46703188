"""Calls the hooks of the general script, in the zip, and of the injected one, which the handshake brought."""
import importlib
import logging
import traceback
import types


def general_script():
    return importlib.import_module('config.bot_config')


class Hooks:
    def __init__(self, bot):
        self._bot = bot
        self._general = general_script()
        self._injected = None

    def inject(self, text):
        """Compiled and run in memory. Raises what it raises."""
        module = types.ModuleType('bot_config')
        exec(compile(text, 'bot_config.py', 'exec'), module.__dict__)
        self._injected = module

    def ask(self, name, default):
        """What a get_ hook returns: of the injected script if it has it, else of the general one."""
        hook = self._find(name)
        return hook(self._bot) if hook else default()

    def authentication_headers(self):
        return self.ask('get_authentication_headers', lambda: (None, None))

    def tell(self, name, *args):
        """An on_ hook; whatever it raises becomes an event."""
        if name in ('on_before_poll', 'on_after_poll'):
            found = [self._find(name)]
        else:
            found = [getattr(script, name, None) for script in (self._general, self._injected)]
        for hook in found:
            if hook is None:
                continue
            try:
                hook(self._bot, *args)
            except Exception:
                logging.exception('%s failed', name)
                reason = traceback.format_exc()[-2048:]
                self._bot.post_error('Failed to call hook %s(): %s' % (name, reason))

    def _find(self, name):
        return getattr(self._injected, name, None) or getattr(self._general, name, None)
