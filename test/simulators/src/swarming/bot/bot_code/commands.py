"""The sub-commands of the zip."""
import json
import os
import shutil
import sys

from bot_code import settings


def run(argv):
    if settings.spoilt() == 'dead':
        raise ImportError('No module named spoilt_on_purpose')
    if argv and argv[0] in ('task_runner', 'run_isolated'):
        return _COMMANDS[argv[0]](argv[1:])
    options = [arg for arg in argv if arg.startswith('-')]
    words = [arg for arg in argv if not arg.startswith('-')]
    name = words[0] if words else 'start_slave'
    command = _COMMANDS.get(name)
    if command is None:
        sys.stderr.write('Unknown command %s\n' % name)
        return 1
    unknown = [option for option in options if option not in ('--survive', '--test-mode')]
    if unknown:
        sys.stderr.write('no such option: %s\n' % unknown[0])
        return 2
    return command(words[1:], options)


def start_bot(extra, options):
    if os.path.basename(settings.THIS_FILE) == 'swarming_bot.zip':
        first = os.path.join(settings.BASE_DIR, 'swarming_bot.1.zip')
        shutil.copyfile(settings.THIS_FILE, first)
        become([first, 'start_bot'] + extra + options)
    from bot_code import bot_main

    return bot_main.run(extra)


def start_slave(_extra, options):
    """Sets the host up, then becomes start_bot."""
    from bot_code import reboot, setup

    if not setup.set_up() and '--survive' not in options:
        reboot.ask_host()
    become([settings.THIS_FILE, 'start_bot'] + options)


def is_fine(_extra, _options):
    """Whether this zip can run here: asked by an older bot before it gives way."""
    if settings.spoilt() == 'not-fine':
        return 1
    from bot_code import hooks, remote

    hooks.general_script()
    return 0 if remote.Remote('', dict).ping() else 1


def show_version(_extra, _options):
    print(settings.version())
    return 0


def show_config(_extra, _options):
    print(json.dumps(settings.config(), indent=2, sort_keys=True))
    return 0


def show_server(_extra, _options):
    print(settings.config()['server'])
    return 0


def show_attributes(_extra, _options):
    from bot_code import attributes, bot_object, hooks

    bot = bot_object.Bot()
    attributes.renew(bot, hooks.Hooks(bot))
    print(json.dumps(bot.attributes(), indent=2, sort_keys=True))
    return 0


def setup_host(_extra, _options):
    from bot_code import setup

    setup.set_up()
    return 0


def task_runner(argv):
    from bot_code import task_runner as runner

    return runner.main(argv)


def run_isolated(argv):
    from bot_code import run_isolated as isolated

    return isolated.main(argv)


def become(args):
    """The same process goes on as another program."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable] + args)


_COMMANDS = {
    'attributes': show_attributes,
    'config': show_config,
    'is_fine': is_fine,
    'run_isolated': run_isolated,
    'server': show_server,
    'setup': setup_host,
    'start_bot': start_bot,
    'start_slave': start_slave,
    'task_runner': task_runner,
    'version': show_version,
}
