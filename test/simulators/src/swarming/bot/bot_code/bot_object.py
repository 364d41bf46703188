"""What a hook is given as `bot`."""
import os
import random
import uuid

from api import os_utilities
from bot_code import settings


class Bot:
    def __init__(self):
        self.id = os_utilities.get_bot_id()
        self.base_dir = settings.BASE_DIR
        self.config_dir = os.path.join(settings.BASE_DIR, 'config')
        self.server = settings.config()['server']
        self.server_version = settings.config()['server_version']
        self.swarming_bot_zip = settings.THIS_FILE
        self.session_id = '%s/%d' % (uuid.uuid4().hex, os.getpid())
        self.dimensions = {'id': [self.id]}
        self.state = {}
        # Of the server's configuration; they replace the bot's.
        self.fixed_dimensions = {}
        # Why this process takes no more tasks until it begins anew.
        self.broken = None
        self.restart_message = None
        self._version = settings.version()
        self._on_event = None
        self._on_reboot = None

    def connect(self, on_event, on_reboot):
        self._on_event = on_event
        self._on_reboot = on_reboot

    def attributes(self):
        return {'dimensions': self.dimensions, 'state': self.state, 'version': self._version}

    def post_event(self, event_type, message):
        if self._on_event:
            self._on_event(event_type, message)

    def post_error(self, message):
        self.post_event('bot_error', message)

    def host_reboot(self, message):
        if self._on_reboot:
            self._on_reboot(message)

    def bot_restart(self, message):
        """Taken at the end of the loop."""
        self.restart_message = message

    def get_pseudo_rand(self, width):
        """Between -width and width; the same for a bot each time."""
        return random.Random(self.id).uniform(-width, width)
