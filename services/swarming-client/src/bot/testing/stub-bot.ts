/** Our own very small bots, as zips: each one's behaviour is a piece of Python. */
import { zipOf } from '@skolo/simulators';

/**
 * Like the real one: its directory is the zip's, it holds swarming.lck, exits with 0 on SIGTERM when it has no task, and its task_runner
 * has its own process group.
 */
const frame = `
import fcntl, os, signal, sys, time
zip_file = os.path.abspath(sys.argv[0])
os.chdir(os.path.dirname(zip_file))

def write(name, text):
    with open(name + '.tmp', 'w') as file:
        file.write(str(text))
    os.rename(name + '.tmp', name)

def child(*arguments):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.execv(sys.executable, [sys.executable, zip_file] + list(arguments))
    return pid

def wait(pid):
    return os.waitpid(pid, 0)[1]

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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write('orphan.pid', os.getpid())
    os.chdir('/')
    time.sleep(600)
elif command == 'task':
    # Found by no mark: no environment, no session, another folder; only its parents know it.
    daemon = os.fork()
    if daemon == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.execve(sys.executable, [sys.executable, zip_file, 'orphan', 'clean'], {})
        os._exit(0)
    wait(daemon)
    write('task.pid', os.getpid())
    time.sleep(600)
elif command == 'stubborn-task':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write('task.pid', os.getpid())
    time.sleep(600)
elif command == 'task_runner':
    task = child(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(task, signal.SIGTERM), write('task_runner.term', '1')))
    write('task_runner.pid', os.getpid())
    sys.exit(wait(task) and 1)
`;

/** Pieces for \`start_bot\`. */
export const bots = {
  idle: 'while not is_stopped: time.sleep(0.02)',
  /** Runs a task that leaves an orphan, and checks for SIGTERM only afterwards. */
  withTask: "wait(child('task_runner', 'task'))\nwrite('after-task', '1')",
  withStubbornTask: "wait(child('task_runner', 'stubborn-task'))",
  deaf: 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)',
};

export interface StubZip {
  server: string;
  /** What it does when started. */
  body?: string;
  /** Additional or replaced members; undefined: the member is missing. */
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
