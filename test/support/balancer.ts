/** Balancers of deploy/cluster/, with the very settings that are shown there but for addresses, ports and certificates. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeCertificate } from './certificates.js';
import { until } from './cluster.js';
import { freePort } from './nats.js';
import { projectRoot } from './project.js';

export type BalancerName = 'nginx' | 'caddy' | 'haproxy';

const module: { balancerPath(name: string): string | null } = await import(
  pathToFileURL(path.join(projectRoot, 'scripts/balancers.mjs')).href
);

/** Why a test that needs a balancer is skipped; false: it runs. Of nginx it runs in CI in any case. */
export function balancerMissing(name: BalancerName): string | false {
  if (module.balancerPath(name) !== null || (name === 'nginx' && process.env.CI)) return false;
  return `no ${name} found: install Debian’s package ${name}, or set ${name.toUpperCase()}=/path/to/${name}`;
}

/** Ports of the nodes, which have the addresses 127.0.0.11 to 127.0.0.13. */
export interface NodePorts {
  ws: number;
  http: number;
}

interface Place {
  folder: string;
  port: number;
  /** Files with a certificate, its key, and both. */
  cert: string;
  key: string;
  both: string;
}

/** @throws Error where the settings have changed, and what is replaced is not there */
function replaced(text: string, ...changes: [string | RegExp, string][]): string {
  return changes.reduce((before, [what, by]) => {
    const after = before.replaceAll(typeof what === 'string' ? what : new RegExp(what, 'g'), () => by);
    if (after === before) throw new Error(`${what} is not in the settings`);
    return after;
  }, text);
}

/** Milliseconds for a balancer to end by itself. */
const STOP_LIMIT = 5_000;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** For each, what it is started with: its file in deploy/cluster/, changed, and around it what a whole machine would have. */
const KINDS: Record<BalancerName, { file: string; args(settings: string, place: Place): string[] }> = {
  nginx: {
    file: 'nginx.conf',
    args(settings, { folder, port, cert, key }) {
      const file = path.join(folder, 'sfu.conf');
      const whole = path.join(folder, 'nginx.conf');
      writeFileSync(
        file,
        replaced(
          settings,
          ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
          [/\/etc\/letsencrypt\S*fullchain\.pem/, cert],
          [/\/etc\/letsencrypt\S*privkey\.pem/, key],
        ),
      );
      const user = process.getuid?.() === 0 ? 'user root;\n' : '';
      const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
      writeFileSync(
        whole,
        `${user}worker_processes 1;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\n` +
          `http { access_log off; ${paths} include ${file}; }\n`,
      );
      return ['-p', folder, '-c', whole, '-e', 'stderr', '-g', 'daemon off;'];
    },
  },
  caddy: {
    file: 'Caddyfile',
    args(settings, { folder, port, cert, key }) {
      const file = path.join(folder, 'Caddyfile');
      const site = replaced(settings, ['sfu.example.org {', `https://127.0.0.1:${port} {\n\ttls ${cert} ${key}`]);
      writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n${site}`);
      return ['run', '--adapter', 'caddyfile', '--config', file];
    },
  },
  haproxy: {
    file: 'haproxy.cfg',
    args(settings, { folder, port, both }) {
      const file = path.join(folder, 'haproxy.cfg');
      writeFileSync(file, replaced(settings, [/bind :443 ssl crt \S+/, `bind 127.0.0.1:${port} ssl crt ${both}`]));
      return ['-db', '-f', file];
    },
  },
};

export class Balancer {
  readonly port: number;
  /** What its certificate is signed with. */
  readonly ca: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #said = '';

  private constructor(port: number, ca: string, folder: string, process: ChildProcess) {
    this.port = port;
    this.ca = ca;
    this.#folder = folder;
    this.#process = process;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said = (this.#said + chunk.toString()).slice(-10_000);
      });
    }
  }

  /** Starts one. Resolves when `ready` says so. */
  static async start(
    name: BalancerName,
    nodes: NodePorts,
    ready: (it: Balancer) => Promise<boolean>,
  ): Promise<Balancer> {
    const program = module.balancerPath(name);
    if (program === null) throw new Error(`no ${name} found`);
    const folder = mkdtempSync(path.join(os.tmpdir(), `janus-sfu-${name}-`));
    const { cert, key } = await makeCertificate();
    const write = (file: string, text: string) => {
      writeFileSync(path.join(folder, file), text, { mode: 0o600 });
      return path.join(folder, file);
    };
    const port = await freePort();
    const files = {
      cert: write('cert.pem', cert),
      key: write('key.pem', key),
      both: write('both.pem', `${cert}\n${key}\n`),
    };
    for (const inside of ['home', ...TEMPORARY]) mkdirSync(path.join(folder, inside));
    const shown = readFileSync(path.join(projectRoot, 'deploy/cluster', KINDS[name].file), 'utf8');
    const settings = replaced(shown, ['10.0.0.1', '127.0.0.1'], ['8188', `${nodes.ws}`], ['8088', `${nodes.http}`]);
    const args = KINDS[name].args(settings, { folder, port, ...files });
    const home = path.join(folder, 'home');
    const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const balancer = new Balancer(port, cert, folder, child);
    try {
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended`);
        return ready(balancer);
      }, `${name} is ready`);
    } catch (error) {
      const said = balancer.#said;
      await balancer.close();
      throw new Error(`${String(error)}:\n${said}`);
    }
    return balancer;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      // Not more: a master that is killed leaves its workers behind.
      this.#process.kill('SIGTERM');
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
