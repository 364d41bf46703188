"""The helper of a fleet's bot_config.py: a token from a metadata server on plain HTTP."""
import json
import time
import urllib.request


def oauth2_access_token_from_url(url, headers):
    """Returns (token, when it expires). No retry; 20 s."""
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        token = json.loads(answer.read().decode())
    return token['access_token'], time.time() + token['expires_in']
