/** Other programs as their own processes. */
import { execFile } from 'node:child_process';

/** A program's output, and how it ended. */
interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export async function runProgram(program: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}
