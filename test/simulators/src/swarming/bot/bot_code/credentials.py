"""The headers that the hook get_authentication_headers gives."""
import logging
import time

from bot_code import settings

# Asked again when less is left.
_LEAST_LEFT = 9.5 * 60


class Credentials:
    def __init__(self, hooks):
        self._hooks = hooks
        self._headers = {}
        self._is_on = True
        self.expires = 0

    def start(self, is_over):
        """Goes on without, when it takes too long."""
        for _ in range(30):
            if self._renew() or is_over():
                return
            time.sleep(settings.seconds('backoff'))

    def headers(self):
        if self._is_on and self.expires - time.time() < _LEAST_LEFT:
            self._renew()
        return self._headers

    def _renew(self):
        try:
            headers, expires = self._hooks.authentication_headers()
        except Exception:
            logging.exception('get_authentication_headers failed')
            return False
        self._headers = headers or {}
        self.expires = expires or 0
        self._is_on = expires is not None
        return True
