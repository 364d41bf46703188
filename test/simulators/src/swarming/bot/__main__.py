"""A bot that behaves as Swarming's does towards what starts it, hooks it and ends it. Standard library, 3.8 to 3.13."""
import sys


def main():
    from bot_code import commands

    return commands.run(sys.argv[1:])


if __name__ == '__main__':
    sys.exit(main())
