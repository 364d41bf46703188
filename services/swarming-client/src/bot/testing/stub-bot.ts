/** Very small bots of our own, as zips: what each does is a piece of Python. */
import { zipOf } from '@skolo/simulators';

/**
 * As the real one: its folder is the zip's, it holds swarming.lck, ends with 0 on SIGTERM when it has no task, and its
 * task_runner has a process group of its own.
 */
const frame = `
import fcntl, os, signal, subprocess, sys, time
zip_file = os.path.abspath(sys.argv[0])
os.chdir(os.path.dirname(zip_file))

def write(name, text):
    with open(name + '.tmp', 'w') as file:
        file.write(str(text))
    os.rename(name + '.tmp', name)

def child(*arguments, **options):
    return subprocess.Popen([sys.executable, zip_file] + list(arguments), preexec_fn=os.setsid, **options)

command = sys.argv[1]
if command == 'start_bot':
    lock = open('swarming.lck', 'w')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        write('second-bot', os.getpid())
        time.sleep(600)
    lock.write(str(os.getpid()))
    lock.flush()
    is_stopped = []
    signal.signal(signal.SIGTERM, lambda *_: is_stopped.append(1))
    write('bot.pid', os.getpid())
elif command == 'orphan':
    # Found by no mark: no environment, no session, another folder; only its parents know it.
    if len(sys.argv) == 2:
        os.execve(sys.executable, [sys.executable, zip_file, 'orphan', 'clean'], {})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write('orphan.pid', os.getpid())
    os.chdir('/')
    time.sleep(600)
elif command == 'daemon':
    child('orphan')
    sys.exit(0)
elif command == 'task':
    child('daemon').wait()
    write('task.pid', os.getpid())
    time.sleep(600)
elif command == 'stubborn-task':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write('task.pid', os.getpid())
    time.sleep(600)
elif command == 'task_runner':
    task = child(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: (task.terminate(), write('task_runner.term', '1')))
    write('task_runner.pid', os.getpid())
    sys.exit(task.wait() and 1)
`;

/** Pieces for \`start_bot\`. */
export const bots = {
  idle: 'while not is_stopped: time.sleep(0.02)',
  /** Runs a task that leaves an orphan, and looks at SIGTERM only after it. */
  withTask: "child('task_runner', 'task').wait()\nwrite('after-task', '1')",
  withStubbornTask: "child('task_runner', 'stubborn-task').wait()",
  deaf: 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)',
};

export interface StubZip {
  server: string;
  /** What it does when it was started. */
  body?: string;
  /** Other members, or others in their place; undefined: it is not there. */
  members?: Record<string, string | undefined>;
}

export function stubZip({ server, body = bots.idle, members = {} }: StubZip): Buffer {
  const indented = body.replaceAll('\n', '\n    ');
  const all: StubZip['members'] = {
    '__main__.py': `${frame}\nif command == 'start_bot':\n    ${indented}\n`,
    'config/config.json': JSON.stringify({ server, server_version: '1' }),
    ...members,
  };
  const files = Object.entries(all).flatMap(([name, text]) =>
    text === undefined ? [] : [{ name, content: Buffer.from(text) }],
  );
  return zipOf(files);
}
