"""Dimensions and state of the bot: what the hooks say, checked, and what the bot adds."""
import json
import logging
import os
import tempfile

from api import os_utilities
from bot_code import limits, settings


def renew(bot, hooks, sleep_streak=0, bot_config=None):
    """Asks both hooks, dimensions first."""
    problem = _renew_dimensions(bot, hooks, bot_config)
    _renew_state(bot, hooks, problem, sleep_streak, bot_config)


def _renew_dimensions(bot, hooks, bot_config):
    """What is wrong: then the previous ones stay."""
    try:
        given = hooks.ask('get_dimensions', os_utilities.get_dimensions)
    except Exception as error:
        logging.exception('get_dimensions failed')
        return 'get_dimensions(): %s' % error
    problem = _dimensions_problem(given, bot.id)
    if problem:
        return problem
    dimensions = {name: list(values) for name, values in given.items()}
    dimensions.update(bot.fixed_dimensions)
    if bot_config:
        dimensions['bot_config'] = [bot_config['name']]
    bot.dimensions = dimensions
    return None


def _dimensions_problem(given, bot_id):
    if not isinstance(given, dict):
        return 'get_dimensions(): expected a dict, got %r' % (given,)
    for name, values in given.items():
        if not isinstance(name, str):
            return 'get_dimensions(): key %r is not text' % (name,)
        if not isinstance(values, (list, tuple)):
            return 'get_dimensions(): value of %s is not a list' % name
        if not all(isinstance(value, str) for value in values):
            return 'get_dimensions(): a value of %s is not text' % name
    if list(given.get('id', [])) != [bot_id]:
        return 'get_dimensions(): id must be %r, got %r' % ([bot_id], given.get('id'))
    return None


def _renew_state(bot, hooks, problem, sleep_streak, bot_config):
    try:
        state = hooks.ask('get_state', os_utilities.get_state)
        if not isinstance(state, dict):
            raise ValueError('expected a dict, got %r' % (state,))
        state = json.loads(json.dumps(state))
    except Exception as error:
        logging.exception('get_state failed')
        state = {'quarantined': 'get_state(): %s' % error}
    state['sleep_streak'] = sleep_streak
    if bot_config:
        state['bot_config'] = bot_config
    if not state.get('quarantined'):
        limit = limits.problem(state, _settings(hooks, bot))
        wrong = bot.broken or problem or _place_problem() or limit
        if wrong:
            state['quarantined'] = wrong
    bot.state = state


def _settings(hooks, bot):
    """get_settings over the defaults."""
    try:
        given = hooks.ask('get_settings', dict)
    except Exception as error:
        logging.exception('get_settings failed')
        bot.post_error('get_settings(): %s' % error)
        given = {}
    return limits.merged(limits.DEFAULTS, given if isinstance(given, dict) else {})


def _place_problem():
    if os.path.realpath(os.path.expanduser('~')) == os.path.realpath(settings.BASE_DIR):
        return 'Running in the home directory is not allowed'
    folder = tempfile.gettempdir()
    if len(os.listdir(folder)) > settings.config()['simulation']['mostTemporaryFiles']:
        return 'Too many files in the temporary folder %s' % folder
    return None
