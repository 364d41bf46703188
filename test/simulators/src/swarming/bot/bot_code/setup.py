"""The setup_bot hook, of the general script only."""
import logging
import os

from bot_code import bot_object, hooks


def set_up(bot=None):
    """False: the host must reboot first."""
    if os.environ.get('SWARMING_EXTERNAL_BOT_SETUP') == '1':
        return True
    hook = getattr(hooks.general_script(), 'setup_bot', None)
    if hook is None:
        return True
    try:
        return bool(hook(bot or bot_object.Bot()))
    except Exception:
        logging.exception('setup_bot failed')
        return True
