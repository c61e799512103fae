// A demonstration of octroi in a directory of its own: started, waited for, stopped by its own process id.
import { spawn, execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function start() {
  const binary = process.env.OCTROI_BIN ?? 'target/debug/octroi';
  const directory = mkdtempSync(join(tmpdir(), 'octroi-browser-'));
  const listeners = ['--https', '--http', '--management'].flatMap((name) => [name, '127.0.0.1:0']);
  const child = spawn(binary, ['demo', directory, ...listeners], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { log += text; });
  const ended = new Promise((resolve) => child.on('exit', resolve));

  const deadline = Date.now() + 60_000;
  while (!/^ready$/m.test(log)) {
    if (Date.now() > deadline || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new Error(`octroi demo did not say ready:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const facts = JSON.parse(readFileSync(join(directory, 'demo.json'), 'utf8'));
  const port = facts.https.split(':').at(-1);
  const portal = facts.portal.split(':')[0];

  const config = join(directory, 'octroi.toml');
  // Changes the text of the configuration; in force when this returns. Gives what takes the change back.
  const reconfigure = async (change) => {
    const before = readFileSync(config, 'utf8');
    const write = async (text) => {
      writeFileSync(config, text);
      await run(binary, ['reload', '-c', config]);
    };
    await write(change(before));
    return () => write(before);
  };

  return {
    facts,
    directory,
    portal: `https://${portal}:${port}`,
    url: (host, path = '/') => `https://${host}:${port}${path}`,
    password: (login) => facts.accounts.find((account) => `${account.tenant}/${account.login}` === login).password,
    log: () => log,
    // The command line of this demonstration, with JSON read.
    octroi: async (...args) => {
      const { stdout } = await run(binary, [...args, '-c', config, '--json']);
      return JSON.parse(stdout);
    },
    // More lines at its end.
    configure: (text) => reconfigure((before) => before + text),
    reconfigure,
    // The access lines of requests for which `wanted` holds, once there are as many.
    accessLines: async (count, wanted) => {
      const found = () => readFileSync(join(directory, 'access.log'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line)).filter(wanted);
      for (const end = Date.now() + 5_000; found().length < count && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 50));
      return found();
    },
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(timer);
      if (!process.env.OCTROI_KEEP) rmSync(directory, { recursive: true, force: true });
    },
  };
}
