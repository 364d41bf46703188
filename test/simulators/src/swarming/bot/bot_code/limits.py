"""How much of a disk must be free. Read from what get_state returned: without `disks` nothing is checked."""
from bot_code import settings

_MIB = 1024.0 * 1024.0
_GIB = 1024 * 1024 * 1024

DEFAULTS = {
    'free_partition': {
        'root': {'size': _GIB, 'max_percent': 10.0, 'min_percent': 6.0},
        'bot': {'size': 4 * _GIB, 'max_percent': 15.0, 'min_percent': 7.0, 'wiggle': 250 * 1024 * 1024},
    },
    'caches': {'isolated': {'size': 50 * _GIB, 'items': 50 * 1024}},
}


def merged(defaults, given):
    """Deep; keys that are not known are passed over."""
    result = {}
    for name, default in defaults.items():
        value = given.get(name, default)
        if isinstance(default, dict):
            result[name] = merged(default, value) if isinstance(value, dict) else default
        else:
            result[name] = value
    return result


def problem(state, wanted):
    """Why the bot must take no tasks."""
    disks = state.get('disks')
    if not isinstance(disks, dict):
        return None
    found = []
    if '/' in disks:
        found.append(('root', '/'))
    around = [path for path in disks if settings.BASE_DIR.startswith(path)]
    if around:
        found.append(('bot', max(around, key=len)))
    for name, path in found:
        free = disks[path]['free_mb']
        least = _least(wanted['free_partition'][name], disks[path]['size_mb'])
        if free < least:
            return 'Not enough free disk space on %s. %.1fmib < %.1fmib' % (name, free, least)
    return None


def _least(limit, size_mb):
    """MiB. A limit of 0 is switched off."""
    upper = []
    if limit['size']:
        upper.append(limit['size'] / _MIB)
    if limit['max_percent']:
        upper.append(size_mb * limit['max_percent'] / 100.0)
    return max(min(upper or [0]), size_mb * (limit['min_percent'] or 0) / 100.0)
