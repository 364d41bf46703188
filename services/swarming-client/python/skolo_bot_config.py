"""Hooks of the Swarming bot, to which the skolo agent on this machine responds.

For the Swarming server: as the general bot_config.py, or called by it. A bot never asks the script of
a group for authentication where the general one has turned it off. It forwards each hook to the agent at
SKOLO_HOOK_URL. While that does not respond, the get_ hooks throw, so that the bot quarantines
itself, with the reason, until the agent is back. The other hooks never throw.

Standard library only; Python 3.8 to 3.13.
"""
# pylint: disable=unused-argument

import http.client
import json
import os
import sys
import time
import urllib.parse

_DEFAULT_HOOK_URL = 'http://127.0.0.1:11000'
_OAUTH_CONFIG = '/etc/swarming_config/oauth2_access_token_config.json'
# The agent answers from memory. These are for an overloaded machine: while a hook waits, the bot
# does nothing else.
_GET_SECONDS = 10
_ON_SECONDS = 5
# For a metadata server: the same as the bot's own helper uses.
_TOKEN_SECONDS = 20
_MOST_BYTES = 4 * 1024 * 1024


class AgentAway(Exception):
    """What the bot shows as the reason of its quarantine."""


# Requests of the bot.


def get_dimensions(bot):
    """Everything of the bot's own, in part replaced by what the agent knows."""
    answer = _ask('get_dimensions', _own_dimensions(bot))
    if not isinstance(answer, dict) or 'id' not in answer:
        raise AgentAway('skolo agent at %s returned dimensions without an id' % _hook_url())
    return answer


def get_state(bot):
    answer = _ask('get_state', _own_state(bot))
    if not isinstance(answer, dict):
        raise AgentAway('skolo agent at %s returned a state that is not a dict' % _hook_url())
    return answer


def get_settings(bot):
    answer = _ask('get_settings')
    if not isinstance(answer, dict):
        raise AgentAway('skolo agent at %s returned settings that are not a dict' % _hook_url())
    return answer


def get_authentication_headers(bot):
    """The token from the metadata server, and when it expires (Unix time)."""
    path = os.environ.get('SKOLO_OAUTH_CONFIG') or _OAUTH_CONFIG
    try:
        with open(path, encoding='utf-8') as f:
            config = json.load(f)
        url = config['url']
        headers = config.get('headers') or {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise AgentAway('%s cannot be used: %s' % (path, _text_of(e)))
    before = time.time()
    try:
        status, body = _request('GET', url, None, headers, _TOKEN_SECONDS)
    except (OSError, ValueError, TypeError, AttributeError, http.client.HTTPException) as e:
        raise AgentAway('request to the metadata server at %s failed: %s' % (url, _text_of(e)))
    if status != 200:
        raise AgentAway('metadata server at %s returned status %d: %s' % (url, status, _excerpt(body)))
    try:
        token = json.loads(body)
        expires_at = int(before + float(token['expires_in']))
        return {'Authorization': 'Bearer ' + token['access_token']}, expires_at
    except (ValueError, KeyError, TypeError):
        # Without its text, which may contain half a token.
        raise AgentAway('metadata server at %s did not return a token' % url) from None


# Reports of the bot.


def setup_bot(bot):
    _report('setup_bot')
    return True


def on_bot_startup(bot):
    _report('on_bot_startup')


def on_handshake(bot):
    _report('on_handshake')


def on_before_poll(bot):
    _report('on_before_poll')


def on_after_poll(bot, cmd=None):
    _report('on_after_poll', cmd=cmd)


def on_before_task(bot, bot_file=None, command=None, env=None):
    _report('on_before_task', task_id=_task_id(bot_file, env))


def on_after_task(bot, failure=None, internal_failure=None, dimensions=None, summary=None):
    _report('on_after_task', failure=failure, internal_failure=internal_failure)


def on_bot_idle(bot, since_last_action=None):
    _report('on_bot_idle', since_last_action=since_last_action)


def on_bot_shutdown(bot):
    _report('on_bot_shutdown')


# How.


def _own_dimensions(bot):
    try:
        from api import os_utilities  # Only inside the bot.
    except ImportError:
        return bot.dimensions
    return os_utilities.get_dimensions()


def _own_state(bot):
    try:
        from api import os_utilities
    except ImportError:
        return bot.state
    return os_utilities.get_state()


def _task_id(bot_file, env):
    """As the bot tells it, in the environment of the task or in the file for it; else None."""
    try:
        task_id = (env or {}).get('SWARMING_TASK_ID')
        if isinstance(task_id, bytes):
            task_id = task_id.decode('ascii')
        if task_id:
            return task_id
        with open(bot_file, encoding='utf-8') as f:
            return json.load(f).get('task_id')
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _hook_url():
    return (os.environ.get('SKOLO_HOOK_URL') or _DEFAULT_HOOK_URL).rstrip('/')


def _ask(hook, given=None):
    """The answer of the agent; raises AgentAway."""
    url = '%s/%s' % (_hook_url(), hook)
    method, body = ('GET', None) if given is None else ('POST', json.dumps(given).encode('utf-8'))
    try:
        headers = {'Content-Type': 'application/json'}
        status, answer = _request(method, url, body, headers, _GET_SECONDS)
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise AgentAway('request to the skolo agent at %s failed: %s' % (_hook_url(), _text_of(e))) from e
    if status != 200:
        why = _excerpt(answer)
        raise AgentAway('skolo agent at %s returned status %d: %s' % (_hook_url(), status, why))
    try:
        return json.loads(answer)
    except ValueError:
        raise AgentAway('skolo agent at %s did not return JSON: %s' % (_hook_url(), _excerpt(answer)))


def _report(hook, **facts):
    """Never throws: the task runs anyway, and the next get_state reports that the agent is away."""
    try:
        query = urllib.parse.urlencode({k: v for k, v in facts.items() if v is not None})
        url = '%s/%s%s' % (_hook_url(), hook, '?' + query if query else '')
        status, answer = _request('GET', url, None, {}, _ON_SECONDS)
        why = None if status == 200 else 'status %d: %s' % (status, _excerpt(answer))
    except Exception as e:  # pylint: disable=broad-except
        why = _text_of(e)
    if why is None:
        return
    try:
        print('skolo agent did not accept %s: %s' % (hook, why), file=sys.stderr)
    except (OSError, ValueError):
        pass  # Its output is closed.


def _request(method, url, body, headers, seconds):
    """One request, straight to where it goes: no proxy of the environment, no redirect."""
    parts = urllib.parse.urlsplit(url)
    kinds = {'http': http.client.HTTPConnection, 'https': http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise ValueError('not an http or https URL')
    connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=seconds)
    try:
        target = urllib.parse.urlunsplit(('', '', parts.path or '/', parts.query, ''))
        connection.request(method, target, body, dict(headers, Connection='close'))
        response = connection.getresponse()
        answer = response.read(_MOST_BYTES + 1)
        if len(answer) > _MOST_BYTES:
            raise ValueError('the response is too large')
        return response.status, answer
    finally:
        connection.close()


def _text_of(error):
    return str(error) or type(error).__name__


def _excerpt(body):
    text = body.decode('utf-8', 'replace')
    try:
        text = json.loads(text)['detail']
    except (ValueError, KeyError, TypeError):
        pass
    return ' '.join(str(text).split())[:300]
