"""HTTP to the server. No redirects."""
import http.client
import json
import logging
import random
import time
import urllib.parse

from bot_code import settings


class Rejected(Exception):
    """401 or 403: final for this call."""


class Failed(Exception):
    """It did not work, however often it was tried."""


class Remote:
    def __init__(self, bot_id, headers, session=None):
        self.bot_id = bot_id
        self.session = session
        self._headers = headers
        self._cookie = 'GOOGAPPUID=%d' % random.randrange(1000)
        self._server = urllib.parse.urlsplit(settings.config()['server'])

    def ping(self):
        try:
            return self._request('GET', 'server_ping')[0] == 200
        except (OSError, http.client.HTTPException) as error:
            logging.warning('ping: %s', error)
            return False

    def call(self, name, body, again=True):
        """The answer. Raises Rejected or Failed."""
        deadline = time.monotonic() + settings.seconds('retryFor')
        pause = settings.seconds('backoff')
        for left in reversed(range(30 if again else 1)):
            try:
                return self._once(name, body)
            except Failed as error:
                logging.warning('%s', error)
                if left == 0 or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 1.4, settings.seconds('mostBackoff'))

    def _once(self, name, body):
        sent = dict(body)
        if self.session is not None:
            sent['session'] = self.session
        try:
            status, raw = self._request('POST', name, json.dumps(sent).encode())
        except (OSError, http.client.HTTPException) as error:
            raise Failed('%s: %s' % (name, error))
        if status in (401, 403):
            raise Rejected('%s: status %d: %s' % (name, status, raw[:200].decode(errors='replace')))
        if status != 200:
            reason = raw[:200].decode(errors='replace')
            raise Failed('%s: status %d: %s' % (name, status, reason))
        try:
            answer = json.loads(raw.decode())
        except ValueError as error:
            raise Failed('%s: %s' % (name, error))
        if not isinstance(answer, dict):
            raise Failed('%s: the answer is not a dict' % name)
        if answer.get('session'):
            self.session = answer['session']
        return answer

    def download(self, version, path):
        try:
            status, raw = self._request('GET', 'bot_code/%s' % version)
        except (OSError, http.client.HTTPException) as error:
            raise Failed('bot_code: %s' % error)
        if status != 200:
            raise Failed('bot_code: status %d' % status)
        with open(path, 'wb') as output:
            output.write(raw)

    def _request(self, method, name, body=None):
        is_tls = self._server.scheme == 'https'
        connect = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = connect(self._server.netloc, timeout=settings.seconds('httpTimeout'))
        headers = {'Cookie': self._cookie, 'X-Luci-Swarming-Bot-ID': self.bot_id}
        if body is not None:
            headers['Content-Type'] = 'application/json; charset=utf-8'
        headers.update(self._headers())
        try:
            connection.request(method, '/swarming/api/v1/bot/' + name, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
